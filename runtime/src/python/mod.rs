//! The Python half: one class per handle type, over one base class that holds everything.
//!
//! A Python handle is a [`Handle`](handle_class::HandleClass) object with a [`HandleState`](state::HandleState): the
//! native pointer, the borrow state, the parent. The class that a macro makes for a type adds methods and no data. A
//! call borrows the handles that it uses ([`call`]), runs, converts its result ([`into_py`]) and releases the borrows.

mod adopt;
mod allocation;
mod ancestors;
mod borrow_request;
pub mod call;
mod callable;
pub mod direct;
mod enter;
pub mod enums;
mod exception_fields;
pub mod exceptions;
pub mod extract;
mod filling;
mod handle_class;
#[cfg(not(Py_GIL_DISABLED))]
mod interned;
pub mod into_py;
pub mod iterator;
mod memoryview;
pub mod module;
mod new_copy;
pub mod object;
mod one_step;
mod owned_arg;
mod package;
mod parts;
mod pending_release;
mod py_box;
pub mod records;
mod ref_counted;
mod same_ancestor;
pub mod state;
mod thread_bound;
mod trace;
mod waiting;
mod with_block;
mod with_handle;
mod with_object;

pub use allocation::Distinct;
pub use call::{
    CallContext, MethodInfo, Mode, NamedArgument, call_method, call_method_mut, call_new,
    call_static,
};
pub use callable::Callable;
pub use exceptions::{AffinityError, BusyError, ClosedError, Error};
pub use extract::{MutArg, Operand, RefArg};
#[doc(hidden)]
#[cfg(not(Py_GIL_DISABLED))]
pub use interned::InternedCopy;
/// The Python string of a name, a new one each time: without a GIL there is no table of names.
#[cfg(Py_GIL_DISABLED)]
pub type InternedCopy<'py> = NewCopy<'py, String>;
pub use into_py::{IntoPython, TypedResult};
pub use memoryview::{export_to, exported_view};
pub use module::{Register, live_handles};
pub use new_copy::{CopiedObject, NewCopy};
pub use object::{HandleClass, PyHandle};
pub use owned_arg::{GivenArgs, OwnedArg, give_optional};
pub use with_block::{ExitResult, exit_of_closed};
pub use with_handle::{with_handle, with_receiver};
pub use with_object::{with_object, with_object_mut};

use crate::interpreter::Hooks;
use state::ResourceState;

inventory::submit! {
    Hooks {
        to_pyerr: exceptions::to_pyerr,
        callback_error: exceptions::of_callback,
        exclude: ResourceState::exclude_at,
        include: ResourceState::include_at,
    }
}

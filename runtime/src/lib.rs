//! Annotated C handle types become safe Rust types and Python classes, which release on every path.
//!
//! A C library returns pointers that its caller has to give back. With this crate, a type stands
//! for each kind of pointer and methods stand for the C functions on it. A guard owns each pointer
//! from the instruction after C returned it. The author of a wrapper writes what rustc cannot know:
//! who owns a pointer, what may be NULL, which calls may run at the same time.
//!
//! # A complete example
//!
//! ```
//! use leakproof::prelude::*;
//!
//! // The raw bindings, as bindgen would declare them.
//! mod ffi {
//!     use std::ffi::c_int;
//!     pub struct counter(c_int);
//!     pub unsafe extern "C" fn counter_new(start: c_int) -> *mut counter {
//!         if start < 0 { std::ptr::null_mut() } else { Box::into_raw(Box::new(counter(start))) }
//!     }
//!     pub unsafe extern "C" fn counter_add(c: *mut counter, n: c_int) -> c_int {
//!         unsafe { (*c).0 += n; (*c).0 }
//!     }
//!     pub unsafe extern "C" fn counter_free(c: *mut counter) {
//!         drop(unsafe { Box::from_raw(c) });
//!     }
//! }
//!
//! /// A counter.
//! #[handle(raw = ffi::counter, release = ffi::counter_free, fork_safe)]
//! pub struct Counter;
//!
//! #[methods(unsafe)]
//! impl Counter {
//!     /// Creates a counter that starts at `start`.
//!     #[new]
//!     #[calls(ffi::counter_new, fails = null)]
//!     fn new(start: i32) -> Result<Owned<Counter>>;
//!
//!     /// Adds `n` and returns the sum.
//!     #[calls(ffi::counter_add)]
//!     fn add(&mut self, n: i32) -> i32;
//!
//!     /// Adds `n` twice.
//!     fn add_twice(&mut self, n: i32) -> i32 {
//!         self.add(n);
//!         self.add(n)
//!     }
//! }
//!
//! # fn main() -> Result<()> {
//! let mut counter = Counter::new(1)?;
//! assert_eq!(counter.add_twice(2), 5);
//! assert_eq!(leakproof::live_handles()["Counter"], 1);
//! drop(counter);
//! assert_eq!(leakproof::live_handles()["Counter"], 0);
//! assert!(Counter::new(-1).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! The parts of a wrapper:
//!
//! - [`#[handle]`](macro@handle) names the C type and the function that releases it.
//! - A method without a body is generated from the C function that it [`calls`](reference::calls)
//!   or the struct [`field`](reference::field) that it reads. A method with a body is safe Rust
//!   over the generated ones.
//! - `unsafe` stands once per block. The author vouches for facts that C's manual states, and the
//!   reference says which.
//! - `Owned<T>` as a result is *transfer full* of GObject-Introspection, [`Borrowed<T>`](Borrowed)
//!   is *transfer none*, `&T` and `&mut T` borrow for the call, and `Owned<T>` as a parameter gives
//!   the handle to C.
//!
//! The same code is a Python class with `add`, `add_twice`, `close()`, `closed` and `with`.
//! [`#[module]`](macro@module) makes the extension module that exports it:
//!
//! ```ignore
//! #[leakproof::module]
//! mod counting {
//!     #[pymodule_export]
//!     use super::Counter;
//! }
//! ```
//!
//! # What generated code guarantees
//!
//! - **The release function runs exactly once** for each acquired handle: on drop, on `close()`, on
//!   every error, after a failed conversion, an exception in a callback, or a panic.
//! - **Parents outlive children.** A child keeps its [parent](reference::handle#parent) alive.
//!   Closing a parent closes its live children first.
//! - **Closed handles raise.** Any use of a closed handle is an error, and never touches freed
//!   memory.
//! - **Nothing is released while in use.** Calls borrow their handles, shared for `&` and
//!   exclusively for `&mut`; conflicting calls [wait](reference::waiting) or raise `BusyError`.
//! - **Nothing unwinds through C.** Panics and exceptions in [callbacks](reference::callbacks) are
//!   stored and raised when C has returned.
//! - **Handles keep to their thread and process** where C requires it:
//!   [`thread_bound`](reference::handle#thread_bound), [`fork_safe`](reference::handle#fork_safe).
//! - **Wrong annotations fail early**, all of an item at once, at the word, with the rule and the
//!   fix. [Three more checks](reference::wrong_annotations) find what the compiler cannot.
//! - **Live handles are countable**: [`live_handles`].
//!
//! # Where to go next
//!
//! - [**C does X: write Y**](reference::ownership), the index of annotations by what the C library
//!   does.
//! - [The reference](mod@reference), one page per macro: each word with its meaning, an example,
//!   and what it asserts.
//! - [Types](reference::types) of parameters and results.
//! - [The build helper](reference::bindings) makes `mod ffi` from the headers, with the feature
//!   `build`.
//! - [Errors and exceptions](reference::failing), [waiting](reference::waiting),
//!   [signals](reference::signals), [interpreters](reference::interpreters).
//! - The README has a whole package with its build files. The folder `examples` wraps nine C
//!   libraries.
//!
//! # Features
//!
//! | feature | |
//! |---|---|
//! | `python` (default) | Python classes, conversions and exceptions. Without it there are the guards, and no dependency on PyO3. |
//! | `build` | the module `build`, for a wrapper's `build.rs` |
//! | `fault-injection` | each step of a generated call that can fail has a fail point, for tests |

#[cfg(panic = "abort")]
compile_error!(
    "leakproof releases while a panic unwinds: remove `panic = \"abort\"` from the profile"
);

mod asks_handle;
mod atomic;
mod attachment;
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python shares handles")
)]
mod body_arguments;
mod borrow_state;
#[cfg(feature = "build")]
pub mod build;
mod call;
mod callback;
mod children;
mod convert;
mod deferred;
mod enumeration;
mod error;
mod error_source;
#[cfg(feature = "python")]
mod fact;
mod failpoint;
mod fallible_copy;
mod fork;
mod handle;
mod helper_thread;
mod idle;
mod interpreter;
mod iter;
mod kept_handle;
#[cfg(feature = "python")]
mod lent_memory;
mod outcome;
mod panics;
#[cfg(feature = "python")]
mod python;
mod quiet;
mod ref_counted;
pub mod reference;
mod reports;
mod restore_guard;
mod reuse;
mod short_text;
mod side_table;
mod single_owner;
mod thread_locals;
mod tree;
mod uses;
mod wrong_annotation;

pub use attachment::Attachment;
pub use call::{check_signals, detach, handles_signals, locked};
pub use callback::OutBuffer;
pub use callback::user_data::{attach, attached};
pub use children::{LendsNothing, LivesIn, parent_of};
pub use convert::memory::Bytes;
pub use convert::out_param::TextBuffer;
pub use convert::to_c::{Buffer, FsPath, Null};
pub use error::{Error, LibraryError, Owner, Result};
pub use error_source::{CallInfo, Errno, ErrorSink, ErrorSource, FailureDetails, NoErrors};
pub use handle::kind::{HandleKind, live_handles};
pub use handle::{
    Borrowed, Handle, HasAttachments, HasOwnerField, IntegerHandle, Owned, Part, PointerHandle,
    RefCounted, Resource,
};
pub use iter::{Dict, Successors};
/// `#[derive(Attachment)]`, with its arguments in [`reference::attachment`].
#[doc(inline)]
pub use leakproof_macros::Attachment;
/// `#[derive(IntoPython)] enum Name { … }`, with its arguments in [`reference::into_python`].
#[doc(inline)]
pub use leakproof_macros::IntoPython;
/// `#[callbacks(unsafe)] impl State { … }`, with its arguments in [`reference::callbacks`], [`reference::callback`].
#[doc(inline)]
pub use leakproof_macros::callbacks;
/// `#[exception] struct Name { … }`, with its arguments in [`reference::exception`].
#[doc(inline)]
pub use leakproof_macros::exception;
/// `#[function] fn name(…) { … }`, with its arguments in [`reference::function`].
#[doc(inline)]
pub use leakproof_macros::function;
/// `#[handle(…)] struct Name;`, with its arguments in [`reference::handle`].
#[doc(inline)]
pub use leakproof_macros::handle;
/// `#[int_enum(ffi::t)] enum Name { … }`, with its arguments in [`reference::int_enum`].
#[doc(inline)]
pub use leakproof_macros::int_enum;
/// `#[int_flag(ffi::t)] enum Name { … }`, with its arguments in [`reference::int_flag`].
#[doc(inline)]
pub use leakproof_macros::int_flag;
/// `#[methods(unsafe)] impl Name { … }`, with its arguments in [`reference::methods`], [`reference::calls`],
/// [`reference::field`].
#[doc(inline)]
pub use leakproof_macros::methods;
/// `#[module] mod name { … }`, with its arguments in [`reference::module`].
#[doc(inline)]
pub use leakproof_macros::module;
/// `#[record(ffi::t)] struct Name { … }`, with its arguments in [`reference::record`].
#[doc(inline)]
pub use leakproof_macros::record;
#[cfg(feature = "python")]
pub use pyo3;
#[cfg(feature = "python")]
pub use python::{
    CallContext, Callable, IntoPython, with_handle, with_object, with_object_mut, with_receiver,
};
pub use reuse::{IdleHandles, Reusable, idle_handles};
pub use tree::{Editing, KeptPart, Tree, TreeOwner, TreePart};

/// The names that a wrapper's source files use.
///
/// PyO3's prelude has a [`Borrowed`], too. In signatures below `#[methods]`, `#[callbacks]` and `#[function]` the name
/// is always this crate's, so both preludes can be imported; elsewhere say which one is meant: `use
/// leakproof::Borrowed;`.
pub mod prelude {
    pub use std::ffi::{CStr, CString};

    #[cfg(feature = "python")]
    pub use crate::Callable;
    pub use crate::{
        Attachment, Borrowed, Buffer, Bytes, CallInfo, Dict, Error, ErrorSink, ErrorSource,
        FailureDetails, FsPath, IntoPython, LibraryError, OutBuffer, Owned, Result, Successors,
        TextBuffer, Tree, attach, attached, callbacks, exception, function, handle, int_enum,
        int_flag, methods, record,
    };
}

/// The items that generated code names. They are no part of the public interface and change without notice.
#[doc(hidden)]
pub mod __private {
    pub use inventory;

    pub mod asks_handle {
        pub use crate::asks_handle::*;
    }
    pub mod atomic {
        pub use crate::atomic::*;
    }
    pub mod attachment {
        pub use crate::attachment::*;
        pub use crate::side_table::Scope;
    }
    pub mod borrow_state {
        pub use crate::borrow_state::*;
    }
    pub mod call {
        pub use crate::call::*;
    }
    pub mod callback {
        pub use crate::callback::*;
    }
    pub mod characters {
        pub use crate::convert::characters::*;
    }
    pub mod children {
        pub use crate::children::*;
    }
    pub mod enumeration {
        pub use crate::enumeration::*;
    }
    pub mod error {
        pub use crate::error::*;
    }
    pub mod error_source {
        pub use crate::error_source::*;
    }
    #[cfg(feature = "python")]
    pub mod fact {
        pub use crate::fact::*;
    }
    pub mod failpoint {
        pub use crate::failpoint::*;
    }
    pub mod from_c {
        pub use crate::convert::copy::*;
        pub use crate::convert::field::*;
        pub use crate::convert::from_c::*;
        pub use crate::convert::memory::*;
        pub use crate::convert::plain::*;
        pub use crate::convert::pointer::*;
        pub use crate::convert::text::*;
    }
    pub mod handle {
        pub use crate::handle::*;
    }
    pub mod helper_thread {
        pub use crate::helper_thread::*;
    }
    pub mod iter {
        pub use crate::iter::*;
    }
    pub mod kept_handle {
        pub use crate::kept_handle::*;
    }
    pub mod kind {
        pub use crate::handle::kind::*;
    }
    pub mod lifetime {
        pub use crate::convert::lifetime::*;
    }
    pub mod out_param {
        pub use crate::convert::out_param::*;
    }
    #[cfg(feature = "python")]
    pub mod python {
        pub use crate::python::*;
    }
    pub mod ref_counted {
        pub use crate::ref_counted::*;
    }
    pub mod shape {
        pub use crate::convert::shape::*;
    }
    pub mod size {
        pub use crate::convert::size::*;
    }
    pub mod status {
        pub use crate::convert::status::*;
    }
    pub mod thread_locals {
        pub use crate::thread_locals::*;
    }
    pub mod to_c {
        pub use crate::convert::to_c::*;
    }
    pub mod tree {
        pub use crate::tree::*;
    }
    pub mod uses {
        pub use crate::uses::*;
    }
}

/// Makes a C struct that is a pointer and a length memory: what C writes to `out` as such a struct can be returned as
/// [`Bytes`], copied, or as `&[u8]`, lent by the receiver.
///
/// `unsafe` is the author's word that the length is that of what the pointer points at.
///
/// A method that returns `Bytes` from a struct whose pointer is not `const` says
/// [`borrowed`](reference::calls#borrowed): the memory stays C's. Where the caller frees the memory, the struct is a
/// handle with [`caller_allocates`](reference::handle#caller_allocates), and `byte_slice!` is not used.
///
/// ```
/// mod ffi {
///     use std::ffi::c_void;
///     pub struct val { pub size: usize, pub data: *mut c_void }
/// }
/// leakproof::byte_slice!(unsafe ffi::val { ptr: data, len: size });
/// ```
#[macro_export]
macro_rules! byte_slice {
    (unsafe $raw:ty { ptr: $ptr:ident, len: $len:ident }) => {
        const _: () = {
    $crate::__runs_no_code!(c: $raw => (*c).$ptr);
    $crate::__runs_no_code!(c: $raw => (*c).$len);

            impl $crate::__private::from_c::ByteSlice for $raw {
                type Pointer = $crate::__private::from_c::SlicePointer<
                    { $crate::__private::from_c::is_const_pointer(|c: &$raw| c.$ptr) },
                >;
            }

            // SAFETY: annotation `byte_slice!`: the length is that of what the pointer points at. The bytes are copied.
            unsafe impl<T: $crate::__private::from_c::CopyOfC<Of = $crate::Bytes>>
                $crate::__private::from_c::FromC<'_, $raw>
                for $crate::__private::from_c::Undecoded<T>
            {
                unsafe fn from_c(c: $raw) -> ::core::option::Option<Self> {
                    let count = $crate::__private::from_c::Count::count(c.$len);
                    // SAFETY: the caller's promise.
                    unsafe {
                        $crate::__private::from_c::FromMemory::<u8>::from_memory(
                            c.$ptr as *const u8,
                            count,
                        )
                    }
                }
            }

            // SAFETY: annotation `byte_slice!`: as above.
            unsafe impl $crate::__private::from_c::FromC<'_, $raw> for $crate::Bytes {
                unsafe fn from_c(c: $raw) -> ::core::option::Option<Self> {
                    let count = $crate::__private::from_c::Count::count(c.$len);
                    // SAFETY: the caller's promise.
                    unsafe {
                        $crate::__private::from_c::FromMemory::<u8>::from_memory(
                            c.$ptr as *const u8,
                            count,
                        )
                    }
                }
            }

            // SAFETY: annotation `byte_slice!`: the length is that of what the pointer points at; guarantee 14: the
            // bytes are lent within `'o`.
            unsafe impl<'o: 'a, 'a> $crate::__private::from_c::FromC<'o, $raw> for &'a [u8] {
                unsafe fn from_c(c: $raw) -> ::core::option::Option<Self> {
                    let count = $crate::__private::from_c::Count::count(c.$len);
                    // SAFETY: the caller's promise.
                    unsafe {
                        $crate::__private::from_c::FromMemory::<u8>::from_memory(
                            c.$ptr as *const u8,
                            count,
                        )
                    }
                }
            }
        };
    };
}

/// The former name of [`byte_slice!`]. Removed before the first release.
#[doc(hidden)]
#[macro_export]
macro_rules! memory {
    ($($words:tt)*) => {
        ::core::compile_error!(
            "`memory!` was renamed: write `byte_slice!(unsafe T { ptr: field, len: field })`"
        );
    };
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => {};
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($with)* };
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($without)* };
}

//! Parts that move to another owner, with their Python objects: [`Tree::take_objects`](crate::Tree::take_objects).
//!
//! The objects of the parts of one tree become those of the parts of a copy in another tree. That takes place under the
//! GIL, in a body that has borrowed both owners exclusively, so nobody else uses one of the parts:
//!
//! - The call itself remembers which resources it has borrowed, and keeps the former owners until it has ended.
//! - A call that waits for one of the owners keeps it meanwhile, and looks afterwards whether the part has moved.
//! - A view of what is at the address of a part moves along. Another view of a part that has moved has ended.
//!
//! On free-threaded Python, calls look for the owner of a part without a lock, so objects do not move there.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};

use pyo3::prelude::*;

use super::borrow_request::BorrowRequest;
use super::handle_class::HandleClass;
use super::parts;
use super::state::note_moves;
use crate::error::{Error, Result};
use crate::handle::kind::Id;
use crate::interpreter::is_attached;
use crate::restore_guard::RestoreGuard;
use crate::tree::{Copied, TakeObjects};

inventory::submit! { TakeObjects(take_objects) }

/// The former owners of parts that a call has moved. They outlive the borrows of the call.
#[derive(Default)]
pub(super) struct FormerOwners(RefCell<Vec<Py<HandleClass>>>);

/// What a call from Python has borrowed, and where it keeps former owners.
type Running = Option<(
    NonNull<[Option<BorrowRequest<'static>>]>,
    NonNull<FormerOwners>,
)>;

thread_local! {
    /// The innermost call with a body that this thread runs.
    static RUNNING: Cell<Running> = const { Cell::new(None) };
}

/// The time in which the body of a call runs.
pub(super) struct RunningBody {
    _outer: RestoreGuard<Running>,
}

impl RunningBody {
    /// Begins the time. It ends before the borrows do.
    pub(super) fn begin(holds: &[Option<BorrowRequest<'_>>], former: &FormerOwners) -> Self {
        // The lifetime goes with the type: who reads it knows that the call runs.
        let holds = NonNull::from(holds);
        let holds = NonNull::slice_from_raw_parts(holds.cast(), holds.len());
        RunningBody {
            _outer: RestoreGuard::set(&RUNNING, Some((holds, NonNull::from(former)))),
        }
    }
}

/// Gives the Python objects of parts to their copies ([`Copied::take_objects`]).
///
/// # Safety
///
/// As there.
unsafe fn take_objects(copied: &Copied) -> Result<()> {
    let mut is_any = false;
    // SAFETY: the caller's promise.
    unsafe {
        copied.each(|(original, copy)| {
            is_any |= parts::is_registered(copied.ops, original);
            match parts::is_registered(copied.ops, copy) {
                true => Err(refused(copied, "the copy has a Python object already")),
                false => Ok(()),
            }
        })?;
    }
    if !is_any {
        return Ok(());
    }
    if cfg!(Py_GIL_DISABLED) {
        return Err(refused(
            copied,
            "objects do not move on free-threaded Python: copy instead",
        ));
    }
    let running = RUNNING.get().filter(|_| is_attached());
    let Some((holds, former)) = running else {
        return Err(refused(
            copied,
            "objects move only in a method that Python has called",
        ));
    };
    // SAFETY: Rust: `RunningBody` is dropped before the handles and the list, and neither changes meanwhile.
    let (holds, former) = unsafe { (holds.as_ref(), former.as_ref()) };
    // SAFETY: CPython: this thread is attached, as was just asked.
    let py = unsafe { Python::assume_attached() };
    let owner = |id: Id| {
        let is_it = |hold: &&BorrowRequest<'_>| {
            let resource = hold.resource;
            ptr::eq(resource.kind(), id.kind()) && resource.raw() == id.raw()
        };
        let object = holds.iter().flatten().find(is_it);
        object.and_then(|hold| hold.resource_object(py))
    };
    let (Some(from), Some(to)) = (owner(copied.owners.0), owner(copied.owners.1)) else {
        return Err(refused(
            copied,
            "both owners, or parts of them, have to be arguments of the call",
        ));
    };
    let mut former = former.0.borrow_mut();
    let no_memory = |_| Error::OutOfMemory("the former owners of parts");
    former.try_reserve(1).map_err(no_memory)?;
    former.push(from.unbind());
    note_moves();
    // SAFETY: the caller's promise; the call has borrowed both owners exclusively. The list keeps the former owner, so
    // none is dropped here.
    unsafe {
        copied.each(|(original, copy)| {
            parts::move_object(py, copied.ops, original, copy, &to);
            Ok(())
        })
    }
}

#[cold]
fn refused(copied: &Copied, reason: &str) -> Error {
    Error::Value(format!(
        "this {} cannot move to another {}: {reason}",
        copied.kind.name(),
        copied.owners.0.kind().name()
    ))
}

//! Parts that another owner adopts, with their Python objects: [`Tree::adopt_objects`](crate::Tree::adopt_objects).
//!
//! The objects of the parts of one tree become those of the parts of a copy in another tree. That takes place under the
//! GIL, in a body that has borrowed both owners exclusively, so nobody else uses one of the parts:
//!
//! - The call itself remembers which resources it has borrowed, and keeps the former owners until it has ended.
//! - A call that waits for an owner keeps a reference to it, and checks after the wait whether the part was adopted by
//!   another owner.
//! - A view at the address of a part goes with it. Other views of an adopted part become invalid.
//!
//! On free-threaded Python, calls look for the owner of a part without a lock, so no objects are adopted there.

use std::cell::{Cell, RefCell};
use std::ptr::{self, NonNull};

use pyo3::prelude::*;

use super::borrow_request::BorrowRequest;
use super::handle_class::HandleClass;
use super::parts;
use super::state::{ResourceState, note_adoption};
use crate::error::{Error, Result};
use crate::handle::kind::Id;
use crate::interpreter::is_attached;
use crate::restore_guard::RestoreGuard;
use crate::tree::{AdoptObjects, Copied};

inventory::submit! { AdoptObjects(adopt_objects) }

/// The former owners of parts that were adopted in a call. They outlive the borrows of the call. `None` for most calls,
/// so that dropping that is one comparison.
#[derive(Default)]
pub(super) struct FormerOwners(RefCell<Option<Vec<Py<HandleClass>>>>);

/// A call from Python whose body runs: the handles that the call has borrowed.
pub(super) struct RunningBody<'a> {
    requests: &'a [Option<BorrowRequest<'a>>],
    former: &'a FormerOwners,
    /// The call in whose body this one was made.
    outer: Running,
}

pub(super) type Running = Option<NonNull<RunningBody<'static>>>;

thread_local! {
    /// The innermost call with a body that this thread runs.
    static RUNNING: Cell<Running> = const { Cell::new(None) };
}

impl<'a> RunningBody<'a> {
    pub(super) fn new(requests: &'a [Option<BorrowRequest<'a>>], former: &'a FormerOwners) -> Self {
        RunningBody {
            requests,
            former,
            outer: RUNNING.get(),
        }
    }

    /// Makes the body the one that runs, until the result is dropped, which is before this is.
    pub(super) fn begin(&self) -> RestoreGuard<Running> {
        // Erases the lifetime. The guard ends before the body, so `RUNNING` never dangles.
        RestoreGuard::set(&RUNNING, Some(NonNull::from(self).cast()))
    }

    /// Begins a call that runs code of the author's, but can adopt nothing: none runs until the result is dropped.
    #[inline(always)]
    pub(super) fn none() -> RestoreGuard<Running> {
        RestoreGuard::set(&RUNNING, None)
    }

    /// Returns the Python object of an owner that this call, or an outer one, has borrowed. A request whose part was
    /// adopted no longer leads to the former owner; `former` keeps that one.
    fn owner<'py>(&self, py: Python<'py>, id: Id) -> Option<(Bound<'py, HandleClass>, &Self)> {
        let is_it = |resource: &ResourceState| {
            ptr::eq(resource.kind(), id.kind()) && resource.raw() == id.raw()
        };
        let borrowed = self.requests.iter().flatten();
        let borrowed = borrowed.filter(|request| is_it(request.resource) && !request.was_adopted());
        let mut borrowed = borrowed.filter_map(|request| request.resource_object(py));
        let former = self.former.0.borrow();
        let mut former = former.iter().flatten().map(|former| former.bind(py));
        let found = borrowed.next();
        let found = found.or_else(|| {
            let found = former.find(|former| is_it(former.get().state().resource()));
            found.cloned()
        });
        match found {
            Some(found) => Some((found, self)),
            // SAFETY: Rust: the outer body runs as long as this one.
            None => unsafe { self.outer?.as_ref() }.owner(py, id),
        }
    }
}

/// Returns whether parts were adopted in the call that this thread runs.
pub(super) fn has_adopted_parts() -> bool {
    // SAFETY: Rust: the body runs.
    let running = RUNNING.get().map(|running| unsafe { running.as_ref() });
    running.is_some_and(|running| {
        running
            .former
            .0
            .borrow()
            .as_ref()
            .is_some_and(|former| !former.is_empty())
    })
}

/// Gives the Python objects of parts to their copies ([`Copied::adopt_objects`]).
///
/// # Safety
///
/// As for [`Copied::adopt_objects`].
unsafe fn adopt_objects(copied: &Copied<'_>) -> Result<()> {
    let running = RUNNING.get();
    if !is_attached() {
        // A tree that Python does not know has no objects.
        return match running {
            Some(_) => Err(refused(copied, "the thread gave up the GIL")),
            None => Ok(()),
        };
    }
    let mut is_any = false;
    let _reserved = Reserved(copied);
    // SAFETY: the caller's promise.
    unsafe {
        copied.each(|(original, copy)| {
            let is_moved = parts::is_registered(copied.ops, original);
            is_any |= is_moved;
            match parts::is_registered(copied.ops, copy) {
                true => Err(refused(copied, "the copy has a Python object already")),
                // The copy of another original, too, has none.
                false if is_moved => {
                    parts::reserve(copied.ops, copy);
                    Ok(())
                }
                false => Ok(()),
            }
        })?;
    }
    if !is_any {
        return Ok(());
    }
    if cfg!(Py_GIL_DISABLED) {
        let reason = "free-threaded Python adopts no objects: copy instead";
        return Err(refused(copied, reason));
    }
    // SAFETY: CPython: this thread is attached, as was just asked.
    let py = unsafe { Python::assume_attached() };
    // SAFETY: Rust: the body runs.
    let running = running.map(|running| unsafe { running.as_ref() });
    let owner = |id| running?.owner(py, id);
    let (Some((from, by)), Some((to, _))) = (owner(copied.owners.0), owner(copied.owners.1)) else {
        let reason = "both owners, or parts of them, have to be arguments of the call";
        return Err(refused(copied, reason));
    };
    let mut former = by.former.0.borrow_mut();
    let former = former.get_or_insert_default();
    if !former.iter().any(|former| former.is(&from)) {
        let no_memory = |_| Error::OutOfMemory("the former owners of parts");
        former.try_reserve(1).map_err(no_memory)?;
        former.push(from.unbind());
    }
    note_adoption();
    // SAFETY: the caller's promise; the call has borrowed both owners exclusively. The list keeps the former owner, so
    // none is dropped here.
    unsafe {
        copied.each(|(original, copy)| {
            parts::adopt_object(py, copied.ops, original, copy, &to);
            Ok(())
        })
    }
}

/// The copies that are to get an object each. The drop frees those that did not get one.
struct Reserved<'a>(&'a Copied<'a>);

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let Reserved(copied) = self;
        // SAFETY: the caller's promise, given to `adopt_objects`, which is still at work. No Python code has run.
        let freed = unsafe {
            copied.each(|(_, copy)| {
                parts::free_reserved(copied.ops, copy);
                Ok(())
            })
        };
        debug_assert!(
            freed.is_ok(),
            "`Copied::adopt_objects` has compared the shapes"
        );
    }
}

#[cold]
fn refused(copied: &Copied<'_>, reason: &str) -> Error {
    Error::Value(format!(
        "this {} cannot be adopted by another {}: {reason}",
        copied.kind.name(),
        copied.owners.0.kind().name()
    ))
}

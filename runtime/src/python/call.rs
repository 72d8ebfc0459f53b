//! Method calls: a call borrows every handle that it uses, and every ancestor of each, until it has converted its
//! result.
//!
//! All arguments are converted first. Then all handles are borrowed (`python::enter`).

use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{self, NonNull};

use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{PyTypeInfo, ffi};

use super::adopt::{FormerOwners, RunningBody};
pub use super::borrow_request::{BorrowRequest, BorrowTarget, Mode, NamedArgument};
use super::enter::{AT_MOST, BorrowGuards, enter, join_groups, join_parents, join_parts};
use super::exceptions::{of_panic, to_pyerr};
use super::handle_class::HandleClass;
use super::object::PyHandle;
use super::one_step::one_step;
use super::same_ancestor;
use super::thread_bound;
use crate::body_arguments;
use crate::children;
use crate::error::Error;
use crate::failpoint::{CallSite, FailPoint};
use crate::handle::kind::{HandleKind, Id};
use crate::interpreter::ReentrancyGuard;

/// The description of a method, from its generated wrapper.
#[doc(hidden)]
#[derive(Debug)]
pub struct MethodInfo {
    /// The call site, which has the failpoints.
    site: &'static CallSite,
    /// The number of converted arguments.
    arguments: usize,
    /// Set if the method has a hand-written body, which may run Python code.
    body: bool,
    /// The mode of an exclusive borrow of the receiver, which decides how the receiver's parent is borrowed.
    exclusive: Mode,
    /// A bit mask of the handles, from the receiver on, that need not share an ancestor with the others: `foreign`.
    foreign: u32,
}

/// Makes the description of a Python method a constant, and the static [`CallSite`] that it names.
#[doc(hidden)]
#[macro_export]
macro_rules! __entry {
    ($name:ident, $site:ident, $method:expr, $info:expr) => {
        $crate::__site!($site, $method, "");
        const $name: &$crate::__private::python::MethodInfo = &$info;
    };
}

impl MethodInfo {
    /// Describes a method whose exclusive borrow of the receiver borrows the parent as the handle's type says.
    pub const fn new(site: &'static CallSite, arguments: usize, body: bool) -> Self {
        MethodInfo {
            site,
            arguments,
            body,
            exclusive: Mode::Exclusive,
            foreign: 0,
        }
    }

    /// Makes an exclusive borrow of the receiver borrow the parent shared.
    ///
    /// # Safety
    ///
    /// The method does not change memory that the parent lends: `#[reads_parent]`.
    pub const unsafe fn reading_parent(mut self) -> Self {
        self.exclusive = Mode::ExclusiveReading;
        self
    }

    /// Exempts the handles of the set bits from sharing an ancestor with the other handles.
    ///
    /// # Safety
    ///
    /// C accepts handles with other ancestors for these arguments: `#[foreign(…)]`.
    pub const unsafe fn with_foreign(mut self, foreign: u32) -> Self {
        self.foreign = foreign;
        self
    }

    /// Passes the failpoints before the call: one for each argument, and one for the borrows.
    #[inline]
    fn check(&self, py: Python<'_>) -> PyResult<()> {
        for _ in 0..self.arguments {
            if self.site.should_fail(FailPoint::Argument) {
                return Err(to_pyerr(
                    py,
                    Error::Value("an argument cannot be converted".into()),
                ));
            }
        }
        if self.site.should_fail(FailPoint::Enter) {
            return Err(to_pyerr(py, Error::Busy(self.site.method)));
        }
        Ok(())
    }
}

/// The running call, for the conversion of its arguments and its result.
pub struct CallContext<'a, 'py> {
    py: Python<'py>,
    site: &'static CallSite,
    receiver: Option<&'a Bound<'py, HandleClass>>,
    /// The class that the constructor was called for; null for other methods.
    class: *mut ffi::PyTypeObject,
    requests: &'a [Option<BorrowRequest<'a>>],
    /// Makes `'a` invariant, so that it lasts exactly as long as the borrow of the receiver. Objects that are given to
    /// Python live in the receiver.
    exactly: PhantomData<fn(&'a ()) -> &'a ()>,
}

impl<'a, 'py> CallContext<'a, 'py> {
    /// The interpreter.
    pub fn py(&self) -> Python<'py> {
        self.py
    }

    /// The object that the method was called on.
    pub(super) fn receiver(&self) -> Option<&'a Bound<'py, HandleClass>> {
        self.receiver
    }

    /// Returns the class that the constructor was called for, if it derives from the class `C`.
    #[inline]
    pub(super) fn derived_from<C: PyTypeInfo>(&self) -> Option<Bound<'py, PyType>> {
        if self.class.is_null() {
            return None;
        }
        let class = C::type_object_raw(self.py);
        // SAFETY: Rust: `call_new` has borrowed the class until this call has ended. CPython: both are classes.
        unsafe {
            let is_derived = ffi::PyType_IsSubtype(self.class, class) != 0;
            let is_derived = is_derived && !ptr::eq(self.class, class);
            is_derived.then(|| PyType::from_borrowed_type_ptr(self.py, self.class))
        }
    }

    /// Returns the call site, which has the failpoints of the result.
    #[inline]
    pub(super) fn site(&self) -> &'static CallSite {
        self.site
    }

    /// Returns the native pointer of the receiver, which every call with a receiver has borrowed.
    #[inline]
    fn entered_receiver(&self) -> NonNull<()> {
        let receiver = self
            .receiver
            .map(|object| object.get().state().entered_raw());
        receiver
            .and_then(NonNull::new)
            .unwrap_or_else(|| unreachable!("an entered handle is open"))
    }

    /// Returns the native pointer of the one handle that the call has borrowed.
    pub(super) fn entered_handle(&self) -> NonNull<()> {
        let request = self.requests.first().and_then(Option::as_ref);
        request
            .and_then(|request| NonNull::new(request.state.entered_raw()))
            .unwrap_or_else(|| unreachable!("an entered handle is open"))
    }

    /// Returns the native pointer of a requested handle. Panics if this call did not borrow the handle in that mode.
    pub(super) fn borrowed_ptr(&self, request: BorrowRequest<'_>) -> NonNull<()> {
        let is_borrowed = self.requests.iter().flatten().any(|borrowed| {
            ptr::eq(borrowed.state, request.state) && borrowed.mode == request.mode
        });
        assert!(
            is_borrowed,
            "a handle is used by a call that did not enter it"
        );
        NonNull::new(request.state.entered_raw())
            .unwrap_or_else(|| unreachable!("an entered handle is open"))
    }

    /// Returns, for each of `kinds`, the handle argument that `id` was made in: never the receiver, and no argument
    /// twice.
    pub(super) fn arguments(
        &self,
        id: Id,
        kinds: &[fn() -> &'static HandleKind],
    ) -> PyResult<Vec<Py<HandleClass>>> {
        let mut requests: Vec<&BorrowRequest<'_>> =
            self.requests.iter().skip(1).flatten().collect();
        let kinds = kinds.iter().map(|kind| kind());
        let arguments = kinds.map(|kind| self.argument(id, kind, &mut requests));
        arguments.collect()
    }

    fn argument(
        &self,
        id: Id,
        kind: &'static HandleKind,
        requests: &mut Vec<&BorrowRequest<'_>>,
    ) -> PyResult<Py<HandleClass>> {
        let is_parent = |request: &&BorrowRequest<'_>| {
            let argument = Id::new(request.state.kind(), request.state.entered_raw());
            ptr::eq(argument.kind(), kind) && children::is_made_beside(id, argument)
        };
        let found = requests.iter().position(is_parent);
        let found = found.map(|index| requests.remove(index));
        let object = found.and_then(|request| {
            // SAFETY: CPython: null, or an object that the caller of this call holds.
            unsafe { Bound::from_borrowed_ptr_or_opt(self.py, request.object) }
        });
        let object = object.and_then(|object| object.cast_into::<HandleClass>().ok());
        object.map(Bound::unbind).ok_or_else(|| {
            let message = format!(
                "this {} lives in a {} that is no argument of the call",
                id.kind().name(),
                kind.name()
            );
            to_pyerr(self.py, Error::Value(message))
        })
    }

    /// Returns the Python object that the body got the handle `id` from, with the handle in it again; `None` for other
    /// handles. The owner of a tree is none of these: the caller has refused it.
    pub(super) fn give_back(&self, id: Id) -> Option<Bound<'py, PyAny>> {
        body_arguments::give_back(id, |address| {
            let mut requests = self.requests.iter().flatten();
            let request =
                requests.find(|request| ptr::from_ref(request.resource).addr() == address)?;
            // SAFETY: CPython: null, or an object that the caller of this call holds.
            let object = unsafe { Bound::from_borrowed_ptr_or_opt(self.py, request.object) }?;
            request.resource.put_back(NonNull::new(id.raw())?);
            Some(object)
        })
    }

    /// Returns the receiver or its nearest ancestor, by first parents, that has this kind.
    #[inline]
    pub(super) fn find_ancestor(
        &self,
        kind: &'static HandleKind,
    ) -> PyResult<&'a Bound<'py, HandleClass>> {
        let mut object = self.receiver;
        while let Some(candidate) = object {
            let state = candidate.get().state();
            if ptr::eq(state.kind(), kind) {
                return Ok(candidate);
            }
            object = state.parent_object().map(|parent| parent.bind(self.py));
        }
        Err(refusal(self.py, no_ancestor(kind)))
    }
}

/// Returns the exception of an error, in a call that does not note that it may run Python code.
#[cold]
pub(super) fn refusal(py: Python<'_>, error: Error) -> PyErr {
    // Making an exception may run the garbage collector.
    let _python = ReentrancyGuard::begin();
    to_pyerr(py, error)
}

/// Returns the error for a result that belongs to no ancestor of the receiver.
#[cold]
pub(super) fn no_ancestor(kind: &HandleKind) -> Error {
    Error::Value(format!(
        "the result belongs to a {}, and the receiver lives in none",
        kind.name()
    ))
}

/// Runs `call` with a shared borrow of the receiver.
#[doc(hidden)]
pub fn call_method<'py, T: PyHandle, R>(
    slf: &Bound<'py, T::Class>,
    entry: &'static MethodInfo,
    arguments: &[NamedArgument<'_>],
    call: impl for<'r> FnOnce(&'r T, &CallContext<'r, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    let receiver = slf.as_super();
    with_held(
        slf.py(),
        Some((receiver, Mode::Shared)),
        entry,
        arguments,
        |context| {
            let raw = context.entered_receiver();
            // SAFETY: guarantee 3: `run` has entered the receiver. trait `PyHandle`: an object of `T`'s class holds a
            // pointer to a `T`.
            call(unsafe { T::from_raw(raw.cast()) }, context)
        },
    )
}

/// Runs `call` with an exclusive borrow of the receiver.
#[doc(hidden)]
pub fn call_method_mut<'py, T: PyHandle, R>(
    slf: &Bound<'py, T::Class>,
    entry: &'static MethodInfo,
    arguments: &[NamedArgument<'_>],
    call: impl for<'r> FnOnce(&'r mut T, &CallContext<'r, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    let receiver = slf.as_super();
    with_held(
        slf.py(),
        Some((receiver, entry.exclusive)),
        entry,
        arguments,
        |context| {
            let raw = context.entered_receiver();
            // SAFETY: guarantee 4: `run` has entered the receiver exclusively. trait `PyHandle`: an object of `T`'s
            // class holds a pointer to a `T`.
            call(unsafe { T::from_raw_mut(raw.cast()) }, context)
        },
    )
}

/// Runs `call`, which has no receiver.
#[doc(hidden)]
pub fn call_static<'py, R>(
    py: Python<'py>,
    entry: &'static MethodInfo,
    arguments: &[NamedArgument<'_>],
    call: impl FnOnce(&CallContext<'_, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    with_held(py, None, entry, arguments, call)
}

/// Runs `call`, the constructor that was called for `class`.
#[doc(hidden)]
pub fn call_new<'py, R>(
    class: &Bound<'py, PyType>,
    entry: &'static MethodInfo,
    arguments: &[NamedArgument<'_>],
    call: impl FnOnce(&CallContext<'_, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    with_held(class.py(), None, entry, arguments, |context| {
        call(&CallContext {
            class: class.as_type_ptr(),
            ..*context
        })
    })
}

/// Runs `call`, which has no receiver, with a shared borrow of `handle`.
#[inline]
pub(super) fn call_beside<'py, R>(
    py: Python<'py>,
    handle: &Bound<'py, HandleClass>,
    entry: &'static MethodInfo,
    call: impl FnOnce(&CallContext<'_, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    thread_bound::run_deferred();
    entry.check(py)?;
    loop {
        let requests = [Some(BorrowRequest::of(handle, Mode::Shared))];
        let former = FormerOwners::default();
        if let Some(entered) = enter(py, &requests)? {
            return run(py, None, entered, &former, entry, call);
        }
    }
}

#[inline]
fn with_held<'py, R>(
    py: Python<'py>,
    receiver: Option<(&Bound<'py, HandleClass>, Mode)>,
    entry: &'static MethodInfo,
    arguments: &[NamedArgument<'_>],
    call: impl FnOnce(&CallContext<'_, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    thread_bound::run_deferred();
    entry.check(py)?;
    assert!(
        arguments.len() < AT_MOST,
        "a call takes at most {} handles",
        AT_MOST - 1
    );
    let mut is_alone = true;
    for argument in arguments {
        is_alone &= argument.borrow_request(py)?.is_none();
    }
    loop {
        let first = receiver.map(|(object, mode)| BorrowRequest::of(object, mode));
        let object = receiver.map(|(object, _)| object);
        let former = FormerOwners::default();
        if is_alone {
            let requests = [first];
            let entered = match &requests {
                // What `enter` does, without a call.
                [Some(request)] if request.enter_quick() => Some(BorrowGuards(&requests)),
                _ => enter(py, &requests)?,
            };
            match entered {
                Some(entered) => return run(py, object, entered, &former, entry, call),
                None => continue,
            }
        }
        let mut requests = [None; AT_MOST];
        requests[0] = first;
        for (slot, argument) in requests[1..].iter_mut().zip(arguments) {
            // Where there is none, nothing is copied: the processor would wait for the bytes.
            if let Some(request) = argument.borrow_request(py)? {
                *slot = Some(request);
            }
        }
        let requests = &mut requests[..=arguments.len()];
        join_groups(requests);
        join_parts(requests, entry.body);
        // A body could use both in safe Rust, so its borrows are not merged.
        if !entry.body {
            join_parents(requests);
        }
        // `None`: a part was adopted during the wait.
        if let Some(entered) = enter(py, requests)? {
            return run(py, object, entered, &former, entry, call);
        }
    }
}

#[inline]
fn run<'a, 'py, R>(
    py: Python<'py>,
    receiver: Option<&'a Bound<'py, HandleClass>>,
    entered: BorrowGuards<'a>,
    former: &'a FormerOwners,
    entry: &'static MethodInfo,
    call: impl FnOnce(&CallContext<'_, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    let requests = entered.0;
    if requests.iter().flatten().nth(1).is_some() {
        same_ancestor::check(requests, entry.foreign).map_err(|error| to_pyerr(py, error))?;
    }
    let _python = entry.body.then(ReentrancyGuard::begin);
    let running = entry.body.then(|| RunningBody::new(requests, former));
    let _running = running.as_ref().map(RunningBody::begin);
    assert!(
        !(entry.body && entry.site.should_fail(FailPoint::Panic)),
        "a panic was asked for"
    );
    let context = CallContext {
        py,
        site: entry.site,
        receiver,
        class: ptr::null_mut(),
        requests,
        exactly: PhantomData,
    };
    // The unwinding has released what the call acquired.
    let call = || one_step(py, requests, || call(&context));
    // Caught here: PyO3 would allocate an exception, and end the process without memory.
    catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|payload| {
        // Making an exception may run the garbage collector.
        let _python = ReentrancyGuard::begin();
        Err(of_panic(py, payload))
    })
}

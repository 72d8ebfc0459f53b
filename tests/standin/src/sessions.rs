//! Sessions and cursors, whose close may fail, with errors that ask the handle.

use std::ffi::c_int;

use leakproof::CallContext;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyKeyError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::{Bound, Py, PyAny, PyResult};

use crate::ffi;
use crate::parcels::Parcel;
use crate::shapes::Shape;

/// A value that becomes no Python object.
pub(crate) struct Unconverted;

impl IntoPython for Unconverted {
    const TYPE: PyStaticExpr = <i32 as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, _: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Err(PyKeyError::new_err("no Python object"))
    }
}

/// A session, which C may keep.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero, on_failure = kept),
    errors(SessionErrors, asks_handle)
)]
pub struct Session;

#[methods(unsafe)]
impl Session {
    /// Opens a session. Fails for a negative number.
    #[new]
    #[pyo3(signature = (busy = 0))]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Session>>;

    /// The status that the close returns.
    #[getter]
    #[field(busy)]
    fn busy(&self) -> c_int;

    /// Sets the status that the close returns.
    #[setter]
    #[field(busy)]
    fn set_busy(&mut self, busy: c_int);

    /// Commits and ends the session. Fails without an effect if `busy` is 7.
    #[calls(ffi::session_commit, fails = negative, consumes = on_success)]
    fn commit(this: Owned<Session>) -> Result<c_int>;

    /// Aborts and ends the session.
    #[calls(ffi::session_abort)]
    fn abort(this: Owned<Self>);

    /// Commits or aborts the session.
    fn finish(this: Owned<Self>, well: bool) -> Result<c_int> {
        match well {
            true => Session::commit(this),
            false => {
                Session::abort(this);
                Ok(0)
            }
        }
    }

    /// Sends a parcel. C takes the parcel over unless it is too heavy.
    #[calls(ffi::session_send, fails = negative, consumes = on_success)]
    fn send(&mut self, parcel: Owned<Parcel>) -> Result<()>;

    /// Throws a parcel. C takes the parcel over, and frees one that is too heavy.
    #[calls(ffi::session_throw, fails = negative, consumes = always)]
    fn throw(&mut self, parcel: Owned<Parcel>) -> Result<()>;

    /// Sends two parcels. The second one may be too heavy.
    fn send_both(&mut self, first: Owned<Parcel>, second: Owned<Parcel>) -> Result<()> {
        self.send(first)?;
        self.send(second)
    }

    /// Takes the steps.
    fn take_steps(this: Owned<Self>, steps: Vec<String>) -> Result<()> {
        let mut this = Some(this);
        for step in &steps {
            match (step.as_str(), this.take()) {
                ("fail", _) => Err(Error::Value("failed".into()))?,
                ("panic", _) => panic!("panicked"),
                ("work", None) => {
                    Session::new(0)?;
                }
                ("drop", session) => drop(session),
                ("forget", session) => std::mem::forget(session),
                ("commit", Some(session)) => {
                    Session::commit(session)?;
                }
                ("close", Some(session)) => {
                    session.close().map_err(|(error, _)| error)?;
                }
                (step, _) => Err(Error::Value(format!("no step {step}")))?,
            }
        }
        Ok(())
    }

    /// Drops a session without the GIL, and fails if `fails`.
    #[detach]
    fn drop_detached(this: Owned<Self>, fails: bool) -> Result<()> {
        drop(this);
        match fails {
            true => Err(Error::Value("failed".into())),
            false => Ok(()),
        }
    }

    /// Sends a parcel if there is one, then fails if `fails`.
    fn send_one(&mut self, parcel: Option<Owned<Parcel>>, fails: bool) -> Result<()> {
        if let Some(parcel) = parcel {
            self.send(parcel)?;
        }
        match fails {
            true => Err(Error::Value("failed".into())),
            false => Ok(()),
        }
    }

    /// Takes the steps with a parcel, then returns what is left of it, and the number of steps. The steps may put
    /// another parcel in its place.
    fn pass_parcel(
        &mut self,
        parcel: Owned<Parcel>,
        steps: Vec<String>,
    ) -> Result<(Option<Owned<Parcel>>, usize)> {
        let mut parcel = Some(parcel);
        for step in &steps {
            parcel = match (step.as_str(), parcel) {
                ("fail", _) => return Err(Error::Value("failed".into())),
                ("panic", _) => panic!("panicked"),
                ("drop", _) => None,
                ("send", Some(parcel)) => {
                    self.send(parcel)?;
                    None
                }
                ("replace", _) => Some(Parcel::new(9)?),
                (step, _) => Err(Error::Value(format!("no step {step}")))?,
            };
        }
        Ok((parcel, steps.len()))
    }

    /// Returns the parcel, if there is one.
    #[staticmethod]
    fn relay(parcel: Option<Owned<Parcel>>) -> Option<Owned<Parcel>> {
        parcel
    }

    /// Returns the parcel that the other session returns.
    #[rust_only]
    fn relay_twice(&mut self, parcel: Owned<Parcel>) -> Result<Option<Owned<Parcel>>> {
        Ok(self.pass_parcel(parcel, Vec::new())?.0)
    }

    /// Returns both parcels, in the other order.
    fn swap(
        &mut self,
        first: Owned<Parcel>,
        second: Owned<Parcel>,
    ) -> Result<(Owned<Parcel>, Owned<Parcel>)> {
        let second = self.relay_twice(second)?;
        let second = second.ok_or_else(|| Error::Value("lost".into()))?;
        Ok((second, first))
    }

    /// Returns the cursor, which may be one of another session, and whose close then returns `busy`.
    #[foreign(cursor)]
    fn pass_cursor(&self, mut cursor: Owned<Cursor>, busy: c_int) -> Owned<Cursor> {
        cursor.set_busy(busy);
        cursor
    }

    /// Returns so many owners of the shape.
    fn pass_shape(&self, shape: Owned<Shape>, owners: usize) -> Vec<Owned<Shape>> {
        let more: Vec<_> = (1..owners).map(|_| shape.clone()).collect();
        let first = (owners > 0).then_some(shape);
        more.into_iter().chain(first).collect()
    }

    /// Returns the shape, and something that is no Python object.
    fn pass_in_vain(&self, shape: Owned<Shape>) -> (Owned<Shape>, Unconverted) {
        (shape, Unconverted)
    }

    /// Ends the session and returns it, or another one.
    fn renew(this: Owned<Self>, other: bool) -> Result<Owned<Self>> {
        match other {
            true => Session::new(0),
            false => Ok(this),
        }
    }

    /// Keeps one owner of a shape.
    #[calls(ffi::session_keep)]
    fn keep(&mut self, shape: Owned<Shape>);

    /// Keeps one owner of a shape, makes and drops others, then fails if `fails`.
    fn keep_one(&mut self, shape: Owned<Shape>, fails: bool) -> Result<()> {
        let (second, third) = (shape.clone(), shape.clone());
        self.keep(second);
        drop(shape);
        drop(third);
        match fails {
            true => Err(Error::Value("failed".into())),
            false => Ok(()),
        }
    }

    /// Makes a cursor.
    #[calls(ffi::query_open, fails = null)]
    fn cursor(&self) -> Result<Owned<Cursor>>;

    /// Makes a cursor whose close returns `busy`, and drops the cursor.
    fn drop_cursor(&self, busy: c_int) -> Result<()> {
        let mut cursor = self.cursor()?;
        cursor.set_busy(busy);
        Ok(())
    }

    /// Works by an exclusive borrow.
    #[calls(ffi::session_work, detach)]
    fn work(&mut self);
}

/// A cursor, which C may keep once.
#[handle(raw = ffi::query, release(ffi::query_close, fails = nonzero, on_failure = kept), parent = Session)]
pub struct Cursor;

#[methods(unsafe)]
impl Cursor {
    #[rust_only]
    #[calls(ffi::query_next)]
    fn step(&mut self) -> c_int;

    /// The next number.
    fn __next__(&mut self) -> Result<Option<c_int>> {
        match self.step() {
            3 => Err(Error::Value("three".into())),
            number => Ok(Some(number).filter(|number| *number >= 0)),
        }
    }

    /// The status that the next close returns.
    #[getter]
    #[field(busy)]
    fn busy(&self) -> c_int;

    /// Sets the status that the next close returns.
    #[setter]
    #[field(busy)]
    fn set_busy(&mut self, busy: c_int);
}

/// A session that is gone even if its close fails.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero),
    errors(SessionErrors, asks_handle),
    warn_unclosed
)]
pub struct Journal;

#[methods(unsafe)]
impl Journal {
    /// Opens a journal.
    #[new]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Journal>>;
}

/// A session that the end of a `with` block commits. An exception aborts it.
#[handle(raw = ffi::session, release = ffi::session_abort)]
pub struct Deal;

#[methods(unsafe)]
impl Deal {
    /// Opens a deal.
    #[new]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Deal>>;

    /// Commits and ends the deal. Fails without an effect if `busy` is 7.
    #[calls(ffi::session_commit, fails = negative, consumes = on_success)]
    fn commit(this: Owned<Self>) -> Result<c_int>;

    /// Commits the deal, or aborts it after an exception.
    fn __exit__(
        this: Owned<Self>,
        kind: Option<Py<PyAny>>,
        error: Option<Py<PyAny>>,
        traceback: Option<Py<PyAny>>,
    ) -> Result<()> {
        let _ = (error, traceback);
        match kind {
            None => Deal::commit(this).map(drop),
            Some(_) => this.close().map_err(|(error, _)| error),
        }
    }
}

/// The error of a call on a session.
#[exception]
pub(crate) struct SessionError {
    /// The message.
    pub message: String,
    /// The status.
    pub status: Option<i64>,
    /// The session's `busy`, if the session still exists.
    pub busy: Option<c_int>,
}

/// The source of errors that asks the session.
#[derive(Debug, Default)]
pub struct SessionErrors;

impl ErrorSource<Session> for SessionErrors {
    fn into_error(self, call: &CallInfo<'_, Session>) -> Error {
        SessionError {
            message: format!("{} failed", call.function),
            status: call.status,
            busy: call.handle().map(Session::busy),
        }
        .into()
    }
}

impl ErrorSource<Journal> for SessionErrors {
    fn into_error(self, call: &CallInfo<'_, Journal>) -> Error {
        SessionError {
            message: format!("{} failed", call.function),
            status: call.status,
            busy: call.handle().map(|_| 0),
        }
        .into()
    }
}

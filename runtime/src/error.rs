//! Errors of calls.

use std::any::Any;
use std::fmt;
#[cfg(feature = "python")]
use std::mem;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use crate::panics::{Payload, discard};

/// The result of anything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The reason why a call failed.
///
/// In Python each variant is an exception below the package's `Error`, or the built-in one that Python itself would
/// raise.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The handle was closed. Python: `ClosedError`, also a `ValueError`.
    Closed(&'static str),
    /// The view is no longer valid: its owner was used since in a way that may have changed the view. Python:
    /// `ClosedError`.
    Stale(&'static str),
    /// The handle is in use, and this call would wait for it forever. Python: `BusyError`.
    Busy(&'static str),
    /// A child, named second, borrows the handle exclusively until the child is closed: `parent = &mut …`. Python:
    /// `BusyError`.
    Held(&'static str, &'static str),
    /// A child, named second, that borrows the handle exclusively was closed, and its release waits for what uses the
    /// child. Python: `BusyError`.
    Releasing(&'static str, &'static str),
    /// The handle is in use by a memoryview of its memory. Python: `BufferError`.
    Exported(&'static str),
    /// The handle belongs to another thread, or to the process that this one was forked from. Python: `AffinityError`,
    /// also a `RuntimeError`.
    Owner(&'static str, Owner),
    /// An argument has a value that C cannot take. Python: `ValueError`.
    Value(String),
    /// A length or a number does not fit the C type. Python: `OverflowError`.
    Overflow(String),
    /// C returned a handle of the first type as `Owned`, and another owner has that handle. The other two are the
    /// method and its C function, whose annotation is wrong. Only debug builds and builds with the feature
    /// `fault-injection` check this. Python: `SystemError`.
    OwnedTwice(&'static str, &'static str, &'static str),
    /// C changed memory that the first method lends, and of which a `memoryview` exists. The other two are the method
    /// that changed it and its C function. Only debug builds and builds with the feature `fault-injection` check this.
    /// Python: `SystemError`.
    LentChanged(&'static str, &'static str, &'static str),
    /// The C function of this method called back or reported something, although the call is `pure`. Debug builds and
    /// the feature `fault-injection` check it. Python: `SystemError`.
    NotPure(&'static str, &'static str),
    /// The C field of this method is NULL, and its annotation says that it never is. Python: `Error`.
    Null(&'static str),
    /// Text of this C function is not UTF-8. Python: `UnicodeDecodeError`.
    NotUtf8(&'static str, std::string::FromUtf8Error),
    /// There is not enough memory for a copy of C's result. Python: `MemoryError`.
    OutOfMemory(&'static str),
    /// The operating system failed. Python: the `OSError` of its number, with the path.
    Os(std::io::Error, Option<std::path::PathBuf>),
    /// C reported a failure and had nothing to say about it. Python: `Error`.
    Failed(&'static str),
    /// The library's own error, made by its [`ErrorSource`](crate::error_source::ErrorSource).
    Library(Box<dyn LibraryError>),
    /// An error with notes or a cause: [`Error::with_note`], [`Error::caused_by`]. Python: the exception of the error
    /// itself.
    #[doc(hidden)]
    Noted(Box<Noted>),
    /// A panic of the author's code while a handle was released. It continues in [`Owned::close`](crate::Owned::close),
    /// and when a guard is dropped. Python: `PanicException`.
    #[doc(hidden)]
    Panic(Panicked),
    /// An exception that Python code raised.
    #[cfg(feature = "python")]
    Python(pyo3::PyErr),
}

/// An error with notes and a cause. The cause may have a cause in turn, and so on: no step through such a chain needs
/// the stack, however long the chain is.
#[doc(hidden)]
pub struct Noted {
    error: Error,
    notes: Vec<String>,
    cause: Option<Error>,
}

#[cfg(feature = "python")]
impl Noted {
    /// Changes the error itself.
    pub(crate) fn map(mut self: Box<Self>, change: impl FnOnce(Error) -> Error) -> Box<Self> {
        self.error = change(mem::replace(&mut self.error, Error::Closed("")));
        self
    }

    /// Turns the chain around. Returns the last cause, if that has no notes, and the errors from there on up to this
    /// one.
    pub(crate) fn from_last_cause(self: Box<Self>) -> (Option<Error>, FromLastCause) {
        let (mut turned, mut next) = (None, Some(Error::Noted(self)));
        while let Some(Error::Noted(mut noted)) = next {
            next = mem::replace(&mut noted.cause, turned.map(Error::Noted));
            turned = Some(noted);
        }
        (next, FromLastCause(turned))
    }
}

/// The errors of a chain with their notes: each is the cause of the one after it.
#[cfg(feature = "python")]
pub(crate) struct FromLastCause(Option<Box<Noted>>);

#[cfg(feature = "python")]
impl Iterator for FromLastCause {
    type Item = (Error, Vec<String>);

    fn next(&mut self) -> Option<Self::Item> {
        let mut noted = self.0.take()?;
        if let Some(Error::Noted(effect)) = noted.cause.take() {
            self.0 = Some(effect);
        }
        let error = mem::replace(&mut noted.error, Error::Closed(""));
        Some((error, mem::take(&mut noted.notes)))
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        let mut next = self.cause.take();
        while let Some(Error::Noted(mut noted)) = next {
            next = noted.cause.take();
        }
    }
}

impl fmt::Debug for Noted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = f.debug_list();
        let mut next = Some(self);
        while let Some(noted) = next {
            list.entry(&noted.error);
            list.entries(&noted.notes);
            next = match &noted.cause {
                Some(Error::Noted(cause)) => Some(cause),
                cause => {
                    list.entries(cause);
                    None
                }
            };
        }
        list.finish()
    }
}

/// The payload of a panic, which continues later.
#[doc(hidden)]
pub struct Panicked(Mutex<Option<Payload>>);

impl fmt::Debug for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Panicked")
    }
}

impl fmt::Display for Panicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let payload = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let payload: Option<&dyn Any> = payload.as_ref().map(|payload| &**payload as &dyn Any);
        let text = payload.and_then(|payload| {
            let text = payload.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| payload.downcast_ref::<&str>().copied())
        });
        f.write_str(text.unwrap_or("a panic while a handle was released"))
    }
}

impl Drop for Panicked {
    fn drop(&mut self) {
        if let Some(payload) = self.take() {
            discard(payload);
        }
    }
}

impl Panicked {
    fn take(&self) -> Option<Payload> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The thread or the process that a handle belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The thread that made the handle: `thread_bound`.
    Thread,
    /// The process that made the handle: the default, unless the handle is `fork_safe`.
    Process,
    /// The thread that made the handle, which has ended: the handle can never be released.
    EndedThread,
}

/// An error type of a package, made by `#[exception]`.
pub trait LibraryError: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// The Python exception.
    #[cfg(feature = "python")]
    fn raise(self: Box<Self>, py: pyo3::Python<'_>) -> pyo3::PyErr;

    /// Returns the error with a note: see [`Error::with_note`].
    fn with_note(self, note: impl Into<String>) -> Error
    where
        Self: Sized,
    {
        Error::from(self).with_note(note)
    }

    /// Returns the error with its cause: see [`Error::caused_by`].
    fn caused_by(self, cause: impl Into<Error>) -> Error
    where
        Self: Sized,
    {
        Error::from(self).caused_by(cause)
    }
}

impl Error {
    /// Returns the package's error of type `T`; `None` for any other error.
    pub fn library<T: LibraryError>(&self) -> Option<&T> {
        match self {
            Error::Library(error) => (&**error as &dyn Any).downcast_ref(),
            Error::Noted(noted) => noted.error.library(),
            _ => None,
        }
    }

    /// Returns the error with a note, which Python shows below the message: the exception gets it by `add_note`.
    #[must_use]
    pub fn with_note(self, note: impl Into<String>) -> Self {
        self.noted(|noted| noted.notes.push(note.into()))
    }

    /// Returns the error with its cause, which Python shows above the exception: its `__cause__`, as with `raise …
    /// from`. In Rust it is the [`source`](std::error::Error::source).
    #[must_use]
    pub fn caused_by(self, cause: impl Into<Error>) -> Self {
        self.noted(|noted| noted.cause = Some(cause.into()))
    }

    /// Returns the notes.
    pub fn notes(&self) -> &[String] {
        match self {
            Error::Noted(noted) => &noted.notes,
            _ => &[],
        }
    }

    /// Changes what goes with the error. A panic continues as it is.
    fn noted(self, change: impl FnOnce(&mut Noted)) -> Self {
        let mut noted = match self {
            Error::Noted(noted) => noted,
            Error::Panic(_) => return self,
            error => Box::new(Noted {
                error,
                notes: Vec::new(),
                cause: None,
            }),
        };
        change(&mut noted);
        Error::Noted(noted)
    }

    /// Returns the error that stands for a panic during the release of a handle.
    pub(crate) fn panic(payload: Payload) -> Self {
        match payload.downcast::<Error>() {
            // A use that was refused.
            Ok(error) => *error,
            Err(payload) => Error::Panic(Panicked(Mutex::new(Some(payload)))),
        }
    }

    /// Returns whether the error stands for a panic.
    pub(crate) fn is_panic(&self) -> bool {
        matches!(self, Error::Panic(_))
    }

    /// Returns the error. If it stands for a panic, continues the panic instead.
    pub(crate) fn unless_panic(self) -> Self {
        if let Error::Panic(panicked) = &self
            && let Some(payload) = panicked.take()
        {
            resume_unwind(payload);
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Closed(name) => write!(f, "{name} is closed"),
            Error::Stale(name) => write!(f, "{name} is no longer valid: its owner was modified"),
            Error::Busy(name) => write!(
                f,
                "{name} is in use by a call that cannot be waited for, such as the one that runs this function"
            ),
            Error::Held(name, child) => write!(
                f,
                "{name} cannot be used while a {child} uses it: close the {child} first"
            ),
            Error::Releasing(name, child) => write!(
                f,
                "{name} cannot be used until a {child} that uses it is released: the {child} was closed while something else \
                 used it or what it keeps"
            ),
            Error::Exported(name) => {
                write!(f, "{name} is in use by a memoryview: release that first")
            }
            Error::Owner(name, Owner::Thread) => {
                write!(f, "{name} can only be used on the thread that made it")
            }
            Error::Owner(name, Owner::Process) => {
                write!(
                    f,
                    "{name} belongs to the process that this one was forked from: open a new one in this process"
                )
            }
            Error::Owner(name, Owner::EndedThread) => write!(
                f,
                "{name} is leaked: only the thread that made it could release it, and that has ended"
            ),
            Error::Value(message) | Error::Overflow(message) => f.write_str(message),
            Error::Null(method) => write!(
                f,
                "{method}: the C field is NULL, and the annotation says that it never is: return an `Option` there"
            ),
            Error::NotUtf8(function, error) => {
                write!(f, "text of {function} is not UTF-8: {error}")
            }
            Error::OwnedTwice(name, method, function) => write!(
                f,
                "{method}: {function} gave out a {name} as `Owned` that has an owner already. Either C does not give a second \
                 ownership, and the {name} would be released twice: return `Borrowed<{name}>` if {function} only lends it, \
                 and pass it as `Owned<{name}>` to a C function that has released it or taken it over. Or C counts the \
                 owners, and {function} adds one: add `retain` where {name} is annotated"
            ),
            Error::LentChanged(lender, method, function) => write!(
                f,
                "{method}: {function} changed memory that {lender} lends, although the annotations say that it does not: \
                 add `mut_parent` where the handle of {method} is annotated, if it lives in the lender, or take what is \
                 changed by `&mut`"
            ),
            Error::NotPure(method, function) => write!(
                f,
                "{method}: {function} called back or reported something, although the call is `pure`: remove `pure`"
            ),
            Error::OutOfMemory(what) => write!(f, "out of memory: {what}"),
            Error::Os(error, None) => error.fmt(f),
            Error::Os(error, Some(path)) => write!(f, "{}: {error}", path.display()),
            Error::Failed(function) => write!(f, "{function} failed"),
            Error::Library(error) => error.fmt(f),
            Error::Noted(noted) => noted.error.fmt(f),
            Error::Panic(panicked) => panicked.fmt(f),
            #[cfg(feature = "python")]
            Error::Python(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Noted(noted) => noted.cause.as_ref().map(|cause| cause as _),
            _ => None,
        }
    }
}

impl<T: LibraryError> From<T> for Error {
    fn from(error: T) -> Self {
        Error::Library(Box::new(error))
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Error::OutOfMemory("a copy of the result")
    }
}

#[cfg(feature = "python")]
impl From<pyo3::PyErr> for Error {
    fn from(error: pyo3::PyErr) -> Self {
        Error::Python(error)
    }
}

//! What a call can end with, besides its result.

use std::any::Any;
use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Mutex, PoisonError};

use crate::panics::{Payload, discard};

/// The result of anything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not do what it was asked to.
///
/// In Python each variant is an exception below the package's `Error`, or the built-in one that Python itself would
/// raise.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// The handle was closed. Python: `ClosedError`, also a `ValueError`.
    Closed(&'static str),
    /// What the view showed is gone: its owner was used since in a way that may have changed it. Python: `ClosedError`.
    Stale(&'static str),
    /// The handle is in use in a way that this call would have to wait for for ever. Python: `BusyError`.
    Busy(&'static str),
    /// A child, named second, borrows the handle exclusively until the child is closed: `parent = &mut …`. Python:
    /// `BusyError`.
    Held(&'static str, &'static str),
    /// The handle is in use by a view of its memory. Python: `BufferError`.
    Exported(&'static str),
    /// The handle belongs to another thread, or to the process that this one was forked from. Python: `AffinityError`, also a
    /// `RuntimeError`.
    Owner(&'static str, Owner),
    /// An argument has a value that C cannot take. Python: `ValueError`.
    Value(String),
    /// A length or a number does not fit the C type. Python: `OverflowError`.
    Overflow(String),
    /// C gave out a handle of the type named first as `Owned`, and another owner has that handle. The others are the method
    /// and its C function, whose annotation is wrong. Only debug builds and builds with the feature `fault-injection` look.
    /// Python: `SystemError`.
    OwnedTwice(&'static str, &'static str, &'static str),
    /// Text of this C function is not UTF-8. Python: `UnicodeDecodeError`.
    NotUtf8(&'static str, std::string::FromUtf8Error),
    /// There is not enough memory for what the call has to give. Python: `MemoryError`.
    OutOfMemory(&'static str),
    /// The operating system failed. Python: the `OSError` of its number, with the path.
    Os(std::io::Error, Option<std::path::PathBuf>),
    /// C reported a failure and had nothing to say about it. Python: `Error`.
    Failed(&'static str),
    /// The library's own error, made by its [`ErrorSource`](crate::error_source::ErrorSource).
    Library(Box<dyn LibraryError>),
    /// A panic of the author's code while a handle was released. It continues in [`Owned::close`](crate::Owned::close),
    /// and when a guard is dropped. Python: `PanicException`.
    #[doc(hidden)]
    Panic(Panicked),
    /// An exception that Python code raised.
    #[cfg(feature = "python")]
    Python(pyo3::PyErr),
}

/// The value of a panic on its way to where it can continue.
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

/// Who alone may use a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The thread that made it: `thread_bound`.
    Thread,
    /// The process that made it: the default, unless the handle is `fork_safe`.
    Process,
    /// The thread that made it, which has ended: it can never be released.
    EndedThread,
}

/// An error type of a package, made by `#[exception]`.
pub trait LibraryError: Any + fmt::Debug + fmt::Display + Send + Sync {
    /// The Python exception.
    #[cfg(feature = "python")]
    fn raise(self: Box<Self>, py: pyo3::Python<'_>) -> pyo3::PyErr;
}

impl Error {
    /// The package's error of type `T`, if that is what it is.
    pub fn library<T: LibraryError>(&self) -> Option<&T> {
        match self {
            Error::Library(error) => (&**error as &dyn Any).downcast_ref(),
            _ => None,
        }
    }

    /// The error that a panic is while a handle is released.
    pub(crate) fn panic(payload: Payload) -> Self {
        Error::Panic(Panicked(Mutex::new(Some(payload))))
    }

    /// Whether it is a panic.
    pub(crate) fn is_panic(&self) -> bool {
        matches!(self, Error::Panic(_))
    }

    /// The error, unless it is a panic, which continues here.
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
            Error::Stale(name) => write!(
                f,
                "{name} is gone: what it is part of was used since, and may have changed it"
            ),
            Error::Busy(name) => write!(f, "{name} is in use by a call that cannot be waited for"),
            Error::Held(name, child) => write!(
                f,
                "{name} cannot be used while a {child} uses it: close the {child} first"
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
            Error::NotUtf8(function, error) => {
                write!(f, "text of {function} is not UTF-8: {error}")
            }
            Error::OwnedTwice(name, method, function) => write!(
                f,
                "{method}: {function} gave out a {name} as `Owned` that has an owner already, so it would be released \
                 twice. If {function} only lends the {name}, return `Borrowed<{name}>`; if another C function has released \
                 it or taken it over, pass it there as `Owned<{name}>`; if C counts the owners, add `retain` where {name} \
                 is annotated"
            ),
            Error::OutOfMemory(what) => write!(f, "out of memory: {what}"),
            Error::Os(error, None) => error.fmt(f),
            Error::Os(error, Some(path)) => write!(f, "{}: {error}", path.display()),
            Error::Failed(function) => write!(f, "{function} failed"),
            Error::Library(error) => error.fmt(f),
            Error::Panic(panicked) => panicked.fmt(f),
            #[cfg(feature = "python")]
            Error::Python(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

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

//! Destinations of what is written: memory, and whatever Python can write to.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyBlockingIOError, PyOSError, PyTypeError};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyErr, PyResult};
use leakproof::pyo3::types::{PyBool, PyBytes, PyInt, PyString};
use leakproof::pyo3::{PyTypeInfo, Python, type_hint_union};

use super::argument::FromArgument;
use super::python::{FILE, RAW, TEXT, class_name, exception, name};

/// The number of bytes that are written at once.
const PART: usize = 64 << 10;

/// The error number of a descriptor that would block (`EAGAIN`).
const WOULD_BLOCK: i32 = 11;

/// The target of `write`: a path, a descriptor, or a file object.
pub(super) enum Target {
    Path(Py<PyAny>),
    Descriptor(Py<PyAny>),
    File(Py<PyAny>),
}

impl FromArgument for Target {
    const TYPE: PyStaticExpr = type_hint_union!(
        PyString::TYPE_HINT,
        PyBytes::TYPE_HINT,
        PyStaticExpr::Subscript {
            value: &PyStaticExpr::Attribute {
                value: &PyStaticExpr::Name { id: "os" },
                attr: "PathLike",
            },
            slice: &PyString::TYPE_HINT,
        },
        PyInt::TYPE_HINT,
        PyStaticExpr::Subscript {
            value: &PyStaticExpr::Attribute {
                value: &PyStaticExpr::Name { id: "_typeshed" },
                attr: "SupportsWrite",
            },
            slice: &PyBytes::TYPE_HINT,
        }
    );

    fn omitted() -> Self {
        unreachable!("the argument is required")
    }

    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        let owned = || object.clone().unbind();
        if object.is_instance_of::<PyString>() || object.is_instance_of::<PyBytes>() {
            return Ok(Target::Path(owned()));
        }
        if object.is_instance_of::<PyInt>() && !object.is_instance_of::<PyBool>() {
            return Ok(Target::Descriptor(owned()));
        }
        if object.hasattr(&name(py, "write")?)? {
            if object.is_instance(TEXT.get(py)?)? {
                let message = "the file is open for text: open it in binary mode";
                return Err(exception::<PyTypeError>(py, message));
            }
            return Ok(Target::File(owned()));
        }
        if object.hasattr(&name(py, "__fspath__")?)? {
            return Ok(Target::Path(owned()));
        }
        let class = class_name(object)?;
        let message = format!(
            "a path, a file descriptor or a file object that is open for writing bytes expected, not {class}"
        );
        Err(exception::<PyTypeError>(py, &message))
    }
}

impl Target {
    pub(super) fn is_path(&self) -> bool {
        matches!(self, Target::Path(_))
    }

    /// Opens the target, has `produce` write to it, and closes what was opened here.
    pub(super) fn write(&self, produce: impl FnOnce(Destination) -> Result<()>) -> Result<()> {
        let (file, opened) = Python::attach(|py| self.open(py))?;
        let written = produce(Destination::File(file));
        let Some(opened) = opened else {
            return written;
        };
        // Of two errors, the first one tells more.
        let closed = Python::attach(|py| {
            let closed = opened.bind(py).call_method0(&name(py, "close")?);
            closed.map(drop)
        });
        let ended = written.and(closed.map_err(Error::from));
        ended.map_err(|error| self.named(error))
    }

    /// Returns the file to write to, and the object to close.
    fn open(&self, py: Python<'_>) -> PyResult<(File, Option<Py<PyAny>>)> {
        let (class, mode) = (FILE.get(py)?, &name(py, "w")?);
        let opened = match self {
            Target::Path(path) => Some(class.call1((path, mode))?),
            Target::Descriptor(number) => Some(class.call1((number, mode, false))?),
            Target::File(_) => None,
        };
        let file = match (&opened, self) {
            (Some(opened), _) => opened,
            (None, Target::Path(file) | Target::Descriptor(file) | Target::File(file)) => {
                file.bind(py)
            }
        };
        let writer = File {
            write: Callable::from(file.getattr(&name(py, "write")?)?),
            is_raw: file.is_instance(RAW.get(py)?)?,
            pending: Vec::new(),
        };
        Ok((writer, opened.map(Bound::unbind)))
    }

    /// Adds the path to an error of the operating system that names none.
    fn named(&self, error: Error) -> Error {
        let (Target::Path(path), Error::Python(raised)) = (self, &error) else {
            return error;
        };
        let added = Python::attach(|py| {
            let value = raised.value(py);
            match raised.is_instance_of::<PyOSError>(py)
                && value.getattr(&name(py, "filename")?)?.is_none()
            {
                true => value.setattr(&name(py, "filename")?, path),
                false => Ok(()),
            }
        });
        added.err().map_or(error, Error::from)
    }
}

/// The place to which the encoded bytes go.
#[derive(Debug)]
pub(super) enum Destination {
    Memory(Vec<u8>),
    File(File),
    /// Only whether everything can be written is of interest.
    Nowhere,
}

/// A Python object with a method `write`.
#[derive(Debug)]
pub(super) struct File {
    write: Callable,
    /// Set if `write` returns `None` for a descriptor that would block. Other objects return `None` for success.
    is_raw: bool,
    /// The bytes that are not written yet.
    pending: Vec<u8>,
}

impl Destination {
    pub(super) fn memory() -> Self {
        Destination::Memory(Vec::new())
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let pending = match self {
            Destination::Memory(written) => written,
            Destination::File(file) => &mut file.pending,
            Destination::Nowhere => return Ok(()),
        };
        pending.try_reserve(bytes.len())?;
        pending.extend_from_slice(bytes);
        match self {
            Destination::File(file) if file.pending.len() >= PART => file.flush(),
            _ => Ok(()),
        }
    }

    /// Writes all bytes that are pending.
    pub(super) fn flush(&mut self) -> Result<()> {
        match self {
            Destination::File(file) if !file.pending.is_empty() => file.flush(),
            _ => Ok(()),
        }
    }

    /// Returns the bytes in memory.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        match self {
            Destination::Memory(bytes) => bytes,
            Destination::File(_) | Destination::Nowhere => Vec::new(),
        }
    }
}

impl File {
    /// Calls `write` until it has taken all bytes.
    fn flush(&mut self) -> Result<()> {
        let mut rest = &*self.pending;
        while !rest.is_empty() {
            let taken = self.write_some(rest)?;
            rest = &rest[taken..];
        }
        self.pending.clear();
        Ok(())
    }

    /// Calls `write` once, and returns the number of bytes that it took.
    fn write_some(&self, bytes: &[u8]) -> Result<usize> {
        let object = Python::attach(|py| {
            // A signal that ended the previous call early has its handler run before the next call waits.
            py.check_signals()?;
            let made = PyBytes::new_with(py, bytes.len(), |memory| {
                memory.copy_from_slice(bytes);
                Ok(())
            });
            made.map(Bound::unbind)
        })?;
        let taken: Py<PyAny> = self.write.call((object,))?;
        Python::attach(|py| {
            // Dropped here: elsewhere the thread may have given up the GIL, and the drop would wait for it.
            let taken = &taken.into_bound(py);
            if taken.is_none() {
                return match self.is_raw {
                    false => Ok(bytes.len()),
                    true => Err(would_block(py).into()),
                };
            }
            let count = taken.extract::<i64>().ok();
            let Some(count) = count.filter(|_| !taken.is_instance_of::<PyBool>()) else {
                let class = class_name(taken)?;
                let message = format!("write() returned {class}, not a number of bytes");
                return Err(exception::<PyTypeError>(py, &message).into());
            };
            let possible = 1..=bytes.len();
            let taken = usize::try_from(count).ok();
            taken
                .filter(|taken| possible.contains(taken))
                .ok_or_else(|| {
                    let message = format!("write() returned {count} for {} bytes", bytes.len());
                    exception::<PyOSError>(py, &message).into()
                })
        })
    }
}

/// Makes the error of a descriptor that would block.
fn would_block(py: Python<'_>) -> PyErr {
    let message = name(py, "write could not complete without blocking");
    let class = py.get_type::<PyBlockingIOError>();
    let made = message.and_then(|message| class.call1((WOULD_BLOCK, message, 0)));
    made.map_or_else(|error| error, PyErr::from_value)
}

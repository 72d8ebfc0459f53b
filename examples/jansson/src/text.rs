//! JSON text: loading and dumping.

use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::exceptions::PyValueError;
use leakproof::pyo3::pybacked::{PyBackedBytes, PyBackedStr};
use leakproof::pyo3::types::{PyAnyMethods, PyString};
use leakproof::pyo3::{FromPyObject, PyAny, PyErr, PyResult};

use crate::ffi;
use crate::value::Value;

/// The struct that Jansson fills in when a text cannot be loaded (json_error_t).
#[record(ffi::json_error_t)]
pub(crate) struct Failure {
    line: i32,
    column: i32,
    position: i32,
    source: [u8; 80],
    text: [u8; 160],
}

/// A text is no JSON, or cannot be read.
#[derive(Clone)]
#[exception(extends = PyValueError)]
pub(crate) struct JSONDecodeError {
    /// The message, in Jansson's words.
    pub message: String,
    /// The kind of failure (enum json_error_code).
    pub code: u8,
    /// The line, from 1.
    pub line: i32,
    /// The column, in characters.
    pub column: i32,
    /// The position, in bytes.
    pub position: i32,
    /// The file, or what stands for it.
    pub source: String,
}

/// Returns the text before the first NUL.
fn until_nul(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next();
    String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
}

impl From<Failure> for JSONDecodeError {
    fn from(failure: Failure) -> Self {
        let text = failure.text();
        JSONDecodeError {
            message: until_nul(&text),
            // Jansson hides the code in the last byte.
            code: text[159],
            line: failure.line(),
            column: failure.column(),
            position: failure.position(),
            source: until_nul(&failure.source()),
        }
    }
}

/// A text as str or bytes.
pub(crate) enum Text {
    /// str
    Text(PyBackedStr),
    /// bytes, of UTF-8
    Bytes(PyBackedBytes),
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            object.extract().map(Text::Text)
        } else {
            Ok(Text::Bytes(object.extract()?))
        }
    }
}

/// A Python function that gets a text in pieces.
#[derive(Attachment)]
struct Writer(Callable);

#[callbacks(unsafe)]
impl Writer {
    #[callback(ffi::json_dump_callback_t, args = (text.ptr, text.len, data), on_error = -1)]
    fn write(&self, text: &[u8]) -> Result<()> {
        self.0.call_unit((text,))
    }
}

/// A Python function that returns the next bytes of a text, at most as many as it is asked for.
#[derive(Attachment)]
struct Reader(Callable);

#[callbacks(unsafe)]
impl Reader {
    #[callback(ffi::json_load_callback_t, args = (buffer.ptr, buffer.len, data), on_error = usize::MAX)]
    fn read(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        let count = buffer.capacity();
        self.0.call_into((count,), &mut buffer)
    }
}

/// The flags for dumping.
fn dump_flags(indent: usize, sort_keys: bool, compact: bool, ensure_ascii: bool) -> Result<usize> {
    if indent > ffi::JSON_MAX_INDENT as usize {
        return Err(
            PyValueError::new_err(format!("indent is at most {}", ffi::JSON_MAX_INDENT)).into(),
        );
    }
    let sort = if sort_keys { ffi::JSON_SORT_KEYS } else { 0 };
    let compact = if compact { ffi::JSON_COMPACT } else { 0 };
    let ascii = if ensure_ascii {
        ffi::JSON_ENSURE_ASCII
    } else {
        0
    };
    Ok(indent | (ffi::JSON_ENCODE_ANY | sort | compact | ascii) as usize)
}

/// The flags for loading.
fn load_flags(reject_duplicates: bool, int_as_real: bool) -> usize {
    let duplicates = if reject_duplicates {
        ffi::JSON_REJECT_DUPLICATES
    } else {
        0
    };
    let real = if int_as_real {
        ffi::JSON_DECODE_INT_AS_REAL
    } else {
        0
    };
    (ffi::JSON_DECODE_ANY | ffi::JSON_ALLOW_NUL | duplicates | real) as usize
}

#[methods(unsafe)]
impl crate::value::Value {
    #[rust_only]
    #[calls(ffi::json_loadb, args = (text.ptr, text.len, flags, details), details = Failure, fails = null, detach)]
    fn load_bytes(text: &[u8], flags: usize) -> Result<Owned<Value>>;

    #[rust_only]
    #[calls(ffi::json_load_file, args = (path, flags, details), details = Failure, fails = null, detach)]
    fn load_path(path: &FsPath, flags: usize) -> Result<Owned<Value>>;

    #[rust_only]
    #[calls(
        ffi::json_load_callback, args = (reader.read, reader.data, flags, details), details = Failure, fails = null
    )]
    fn load_from(reader: &Reader, flags: usize) -> Result<Owned<Value>>;

    #[rust_only]
    #[calls(ffi::json_dumps, fails = null, free = ffi::free, utf8 = lossy, detach)]
    fn dump_text(&self, flags: usize) -> Result<String>;

    #[rust_only]
    #[calls(ffi::json_dump_callback, args = (self, writer.write, writer.data, flags), fails = nonzero)]
    fn dump_to(&self, writer: &Writer, flags: usize) -> Result<()>;

    #[rust_only]
    #[calls(ffi::json_dump_file, fails = nonzero, detach)]
    fn dump_path(&self, path: &FsPath, flags: usize) -> Result<()>;

    /// Returns the JSON text of the value.
    #[pyo3(signature = (*, indent = 0, sort_keys = false, compact = false, ensure_ascii = false))]
    fn dumps(
        &self,
        indent: usize,
        sort_keys: bool,
        compact: bool,
        ensure_ascii: bool,
    ) -> Result<String> {
        self.check_depth()?;
        self.dump_text(dump_flags(indent, sort_keys, compact, ensure_ascii)?)
    }

    /// Writes the JSON text of the value to a file.
    #[pyo3(signature = (path, *, indent = 0, sort_keys = false, compact = false, ensure_ascii = false))]
    fn dump_file(
        &self,
        path: &FsPath,
        indent: usize,
        sort_keys: bool,
        compact: bool,
        ensure_ascii: bool,
    ) -> Result<()> {
        self.check_depth()?;
        self.dump_path(path, dump_flags(indent, sort_keys, compact, ensure_ascii)?)
    }

    /// Calls `write` with each piece of the JSON text, as bytes.
    #[pyo3(signature = (write, *, indent = 0, sort_keys = false, compact = false, ensure_ascii = false))]
    fn dump(
        &self,
        write: Callable,
        indent: usize,
        sort_keys: bool,
        compact: bool,
        ensure_ascii: bool,
    ) -> Result<()> {
        self.check_depth()?;
        let flags = dump_flags(indent, sort_keys, compact, ensure_ascii)?;
        self.dump_to(&Writer(write), flags)
    }
}

/// Returns the value of a JSON text.
#[function]
#[pyo3(signature = (text, *, reject_duplicates = false, int_as_real = false))]
pub(crate) fn loads(
    text: Text,
    reject_duplicates: bool,
    int_as_real: bool,
) -> Result<Owned<Value>> {
    let text = match &text {
        Text::Text(text) => text.as_bytes(),
        Text::Bytes(bytes) => bytes,
    };
    Value::load_bytes(text, load_flags(reject_duplicates, int_as_real))
}

/// Returns the value of the JSON text in a file.
#[function]
#[pyo3(signature = (path, *, reject_duplicates = false, int_as_real = false))]
pub(crate) fn load_file(
    path: &FsPath,
    reject_duplicates: bool,
    int_as_real: bool,
) -> Result<Owned<Value>> {
    let loaded = Value::load_path(path, load_flags(reject_duplicates, int_as_real));
    // Jansson's own source is "<stream>", unless the file cannot be opened.
    loaded.map_err(|error| match error.library::<JSONDecodeError>().cloned() {
        None => error,
        Some(mut error) => {
            error.source = path.as_path().display().to_string();
            error.into()
        }
    })
}

/// Returns the value of the JSON text that `read(count)` returns in pieces, as bytes, such as the `read` of a file. An
/// empty piece ends the text.
#[function]
#[pyo3(signature = (read, *, reject_duplicates = false, int_as_real = false))]
pub(crate) fn load(
    read: Callable,
    reject_duplicates: bool,
    int_as_real: bool,
) -> Result<Owned<Value>> {
    Value::load_from(&Reader(read), load_flags(reject_duplicates, int_as_real))
}

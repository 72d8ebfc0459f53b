//! Reads external entities: the file of the external DTD and the files of entities.
//!
//! libxml2 never reads these files. One policy decides: a function, or a folder, that the caller gives. Process-wide
//! state has no effect, such as libxml2's catalogs or another binding's loader.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{
    FromPyObject, Py, PyAny, PyAnyMethods, PyBytesMethods, PyErr, PyResult, PyStringMethods,
};
use leakproof::pyo3::types::{PyBytes, PyString};
use leakproof::pyo3::{self, type_hint_union};

use crate::decode;
use crate::errors::{ParseError, Report};
use crate::ffi;
use crate::serialize::python::exception;

/// The maximum number of external entities that one document may refer to.
const MOST: usize = 1000;

/// The flag `O_NONBLOCK`, so that opening never waits, as it would for a FIFO.
const NONBLOCK: i32 = 0o4000;

/// The policy for external entities.
pub(crate) enum External {
    /// The folder whose files may be read, including those below it.
    Folder(PathBuf),
    /// The function that returns the content for a system identifier and a public identifier.
    Resolver(Callable),
}

/// Implemented by hand, as is that of [`Resolved`]: the code that PyO3 derives makes an exception for each type that it
/// tries, and ends the process if there is no memory for one.
impl<'py> FromPyObject<'_, 'py> for External {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(PathBuf::INPUT_TYPE, Callable::INPUT_TYPE);

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match object.is_callable() {
            true => Callable::extract(object).map(External::Resolver),
            false => PathBuf::extract(object).map(External::Folder),
        }
    }
}

/// The result of a resolver.
enum Resolved {
    Text(Py<PyString>),
    Bytes(Py<PyBytes>),
    Nothing,
}

impl<'py> FromPyObject<'_, 'py> for Resolved {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Resolved::Text(text.to_owned().unbind()));
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Resolved::Bytes(bytes.to_owned().unbind()));
        }
        if object.is_none() {
            return Ok(Resolved::Nothing);
        }
        let message = "`external` returned neither bytes nor a str nor None";
        Err(exception::<PyTypeError>(object.py(), message))
    }
}

/// The address of an external entity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    /// The system identifier, resolved against the file that contains it.
    pub(crate) system: CString,
    pub(crate) public: Option<CString>,
}

/// The files read so far, by address: UTF-8, without text declarations.
pub(crate) type Loaded = BTreeMap<CString, CString>;

impl External {
    /// Reads the files at the addresses. `in_folder` says that relative addresses are below the folder.
    pub(crate) fn read_all(
        &self,
        wanted: Vec<Address>,
        document: Option<&CStr>,
        in_folder: bool,
        loaded: &mut Loaded,
    ) -> Result<()> {
        for address in wanted {
            if loaded.contains_key(&address.system) {
                continue;
            }
            if loaded.len() >= MOST {
                let message = format!("the document refers to more than {MOST} external entities");
                return Err(refused(message, document));
            }
            let text = match self.content(&address, in_folder)? {
                Ok(Content::Bytes(bytes)) => decode::entity(&bytes, &address.system)?,
                Ok(Content::Text(text)) => decode::entity(text.as_bytes(), &address.system)?,
                Err(why) => {
                    let name = address.system.to_string_lossy();
                    return Err(refused(format!("{name} is not read: {why}"), document));
                }
            };
            loaded.insert(address.system, text);
        }
        Ok(())
    }

    /// Returns what is at an address, or why that is not read.
    pub(crate) fn content(
        &self,
        address: &Address,
        in_folder: bool,
    ) -> Result<Result<Content, String>> {
        match self {
            External::Resolver(resolver) => {
                let text = |text: &CStr| text.to_string_lossy().into_owned();
                let public = address.public.as_deref().map(text);
                let resolved = resolver.call::<Resolved>((text(&address.system), public))?;
                leakproof::pyo3::Python::attach(|py| match resolved {
                    Resolved::Bytes(bytes) => {
                        copied(bytes.bind(py).as_bytes()).map(|bytes| Ok(Content::Bytes(bytes)))
                    }
                    Resolved::Text(text) => {
                        let text = text.bind(py).to_cow()?;
                        Ok(Ok(Content::Text(text.into_owned())))
                    }
                    Resolved::Nothing => Ok(Err("the resolver returned None".to_owned())),
                })
            }
            External::Folder(folder) => {
                let bytes = leakproof::detach(|| read_in(folder, &address.system, in_folder));
                Ok(bytes.map(Content::Bytes))
            }
        }
    }
}

/// The resource at an address.
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Text(String),
}

fn copied(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut copy = Vec::new();
    copy.try_reserve(bytes.len())?;
    copy.extend_from_slice(bytes);
    Ok(copy)
}

/// Makes the error of a document that refers to a file that is not read.
pub(crate) fn refused(message: String, document: Option<&CStr>) -> Error {
    let report = Report {
        message,
        ..Report::fatal(ffi::XML_IO_LOAD_ERROR, document)
    };
    ParseError::of(report).into()
}

/// Reads a regular file in `folder`.
fn read_in(folder: &Path, system: &CStr, in_folder: bool) -> Result<Vec<u8>, String> {
    let folder = folder
        .canonicalize()
        .map_err(|error| format!("the folder {}: {error}", folder.display()))?;
    let mut file = candidates(&folder, system.to_bytes(), !in_folder)?
        .into_iter()
        .map(|path| open_in(&folder, &path))
        .reduce(Result::or)
        .unwrap_or_else(|| Err("it is no file".into()))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)
        .map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Returns the paths that a system identifier may mean: unchanged, and with its escapes replaced. For a document
/// without a file, the paths are relative to the folder.
fn candidates(folder: &Path, system: &[u8], is_file: bool) -> Result<Vec<PathBuf>, String> {
    let path = match scheme(system) {
        None => system,
        Some(scheme) if scheme.eq_ignore_ascii_case(b"file") => {
            let rest = &system[scheme.len() + 1..];
            match rest.strip_prefix(b"//") {
                None => rest,
                Some(rest) => rest
                    .strip_prefix(b"localhost")
                    .filter(|rest| rest.starts_with(b"/"))
                    .unwrap_or(rest),
            }
        }
        Some(_) => return Err("it is no file".into()),
    };
    if scheme(system).is_some() && !path.starts_with(b"/") {
        return Err("it is no file".into());
    }
    let whole = |bytes: Vec<u8>| {
        let path = PathBuf::from(std::ffi::OsString::from_vec(bytes));
        match is_file {
            true => path,
            false => folder.join(path),
        }
    };
    Ok(vec![whole(path.to_vec()), whole(unescaped(path))])
}

/// Returns the scheme of a URI, the part before the colon.
fn scheme(uri: &[u8]) -> Option<&[u8]> {
    let end = uri.iter().position(|byte| *byte == b':')?;
    let (scheme, _) = uri.split_at(end);
    let inner = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    let starts = scheme.first().is_some_and(u8::is_ascii_alphabetic);
    (starts && scheme.iter().all(inner)).then_some(scheme)
}

fn unescaped(path: &[u8]) -> Vec<u8> {
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path;
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = match (first, after) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)),
            _ => None,
        };
        match escaped {
            Some((high, low)) => {
                bytes.push(high * 16 + low);
                rest = &after[2..];
            }
            None => bytes.push(*first),
        }
    }
    bytes
}

/// Opens a regular file. The path is checked against the folder again after opening, so that links and races have no
/// effect.
fn open_in(folder: &Path, path: &Path) -> Result<File, String> {
    let told = |error: std::io::Error| error.to_string();
    let outside = || format!("it is not in the folder {}", folder.display());
    let real = path
        .canonicalize()
        .map_err(|error| match path.starts_with(folder) {
            true => told(error),
            // Errors about paths outside the folder are not disclosed.
            false => outside(),
        })?;
    if !real.starts_with(folder) {
        return Err(outside());
    }
    // Opening a device may have an effect.
    if !real.metadata().map_err(told)?.is_file() {
        return Err("it is no regular file".into());
    }
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(NONBLOCK)
        .open(&real)
        .map_err(told)?;
    let opened = Path::new("/proc/self/fd")
        .join(file.as_raw_fd().to_string())
        .read_link()
        .map_err(|error| format!("/proc/self/fd does not say what was opened: {error}"))?;
    if !opened.starts_with(folder) {
        return Err(outside());
    }
    if !file.metadata().map_err(told)?.is_file() {
        return Err("it is no regular file".into());
    }
    Ok(file)
}

//! libmagic for Python: the smallest example, one handle that is made in two steps.

use std::ffi::c_int;

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from libmagic's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/magic.rs"));
}

/// An error that libmagic reported.
#[exception]
pub struct MagicError {
    /// The message, in libmagic's words.
    pub message: String,
    /// The system's error number (magic_errno); 0 if no system call failed.
    pub errno: c_int,
}

/// Takes the error's message from the handle.
#[derive(Debug, Default)]
pub struct MagicErrors;

impl ErrorSource<Magic> for MagicErrors {
    fn into_error(self, call: &CallInfo<'_, Magic>) -> Error {
        let said = call.handle().and_then(Magic::message);
        let message = said.unwrap_or_else(|| format!("{} failed", call.function));
        MagicError {
            message,
            errno: call.handle().map_or(0, Magic::errno),
        }
        .into()
    }
}

/// Identifies the content of files and of bytes.
#[handle(raw = ffi::magic_set, release = ffi::magic_close, errors(MagicErrors, asks_handle), fork_safe)]
pub struct Magic;

#[methods(unsafe)]
impl Magic {
    #[rust_only]
    #[calls(ffi::magic_open, fails = null)]
    fn create(flags: c_int) -> Result<Owned<Magic>>;

    #[rust_only]
    #[calls(ffi::magic_load, fails = nonzero, detach)]
    fn load(&mut self, database: Option<&FsPath>) -> Result<()>;

    #[rust_only]
    #[calls(ffi::magic_error, utf8 = lossy)]
    fn message(&self) -> Option<String>;

    #[rust_only]
    #[calls(ffi::magic_errno)]
    fn errno(&self) -> c_int;

    /// Load a magic database: the system's, or the one at `database` (magic_open, magic_load).
    ///
    /// With `mime` the answers are MIME types. With `encoding` they include the encoding of text. `follow` follows
    /// symbolic links. `inside` looks into compressed files.
    ///
    /// Raises MagicError if the database can't be loaded.
    #[new]
    #[pyo3(signature = (database = None, *, mime = false, encoding = false, follow = false, inside = false))]
    fn new(
        database: Option<&FsPath>,
        mime: bool,
        encoding: bool,
        follow: bool,
        inside: bool,
    ) -> Result<Owned<Magic>> {
        let chosen = [
            // Without MAGIC_ERROR, the description of an unreadable file would be an answer and not an error.
            (true, ffi::MAGIC_ERROR),
            (mime, ffi::MAGIC_MIME_TYPE),
            (encoding, ffi::MAGIC_MIME_ENCODING),
            (follow, ffi::MAGIC_SYMLINK),
            (inside, ffi::MAGIC_COMPRESS),
        ];
        let flags = chosen
            .into_iter()
            .filter(|(chosen, _)| *chosen)
            .fold(0, |flags, (_, flag)| flags | flag);
        let mut magic = Magic::create(flags.cast_signed())?;
        magic.load(database)?;
        Ok(magic)
    }

    /// Describe the content of the file at `path` (magic_file).
    ///
    /// Raises MagicError, with `errno`, if the file can't be read.
    #[calls(ffi::magic_file, fails = null, detach)]
    fn file(&mut self, path: &FsPath) -> Result<String>;

    /// Describe the content of `data` (magic_buffer).
    #[calls(ffi::magic_buffer, args = (self, data.ptr, data.len), fails = null, detach)]
    fn buffer(&mut self, data: &[u8]) -> Result<String>;
}

/// libmagic for Python: identify the content of files and of bytes.
#[leakproof::module]
mod magic_safe {
    #[pymodule_export]
    use super::{Magic, MagicError};
}

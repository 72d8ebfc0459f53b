//! libmagic for Python: the smallest example, one handle that is made in two steps.

use std::ffi::c_int;

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from libmagic's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/magic.rs"));
}

/// What libmagic could not do.
#[exception]
pub struct MagicError {
    /// What went wrong, in libmagic's words.
    pub message: String,
    /// The number of the operating system's error behind it; 0 if there is none.
    pub errno: c_int,
}

/// Asks the handle what went wrong.
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

/// Says what is in files and in bytes.
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

    /// Load a database of known contents: the system's, or the one at `database` (magic_open, magic_load).
    ///
    /// With `mime` the answers are MIME types, with `encoding` also the encoding of text. `follow` follows symbolic
    /// links, `inside` looks into compressed files.
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
            // Without it a file that can't be read is an answer and not an error.
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

    /// What is in the file at `path` (magic_file).
    ///
    /// Raises MagicError, with `errno`, if it can't be read.
    #[calls(ffi::magic_file, fails = null, detach)]
    fn file(&mut self, path: &FsPath) -> Result<String>;

    /// What is in these bytes (magic_buffer).
    #[calls(ffi::magic_buffer, args = (self, data.ptr, data.len), fails = null, detach)]
    fn buffer(&mut self, data: &[u8]) -> Result<String>;
}

/// libmagic for Python: what is in this file?
#[leakproof::module]
mod magic_safe {
    #[pymodule_export]
    use super::{Magic, MagicError};
}

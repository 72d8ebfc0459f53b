//! zlib for Python: structs that C initialises in place, buffers that it reads and writes where they are.

use std::ffi::{c_char, c_int};

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from zlib's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/zlib.rs"));
}

const STREAM_END: c_int = ffi::Z_STREAM_END.cast_signed();
const NO_FLUSH: c_int = ffi::Z_NO_FLUSH.cast_signed();
const SYNC_FLUSH: c_int = ffi::Z_SYNC_FLUSH.cast_signed();
const FINISH: c_int = ffi::Z_FINISH.cast_signed();
const DEFLATED: c_int = ffi::Z_DEFLATED.cast_signed();
const SIZE: c_int = size_of::<ffi::z_stream>() as c_int;
/// How much is written at a time.
const CHUNK: usize = 64 << 10;
/// How much is read at a time: less than zlib's `uInt` can count.
const PART: usize = 1 << 30;

/// The version that this was compiled for, which zlib compares to its own.
fn version() -> *const c_char {
    ffi::ZLIB_VERSION.as_ptr().cast()
}

/// Whether a status says that something is wrong. `Z_BUF_ERROR` only says that there was nothing to do.
fn is_failure(status: c_int) -> bool {
    status == ffi::Z_NEED_DICT.cast_signed() || status < 0 && status != ffi::Z_BUF_ERROR
}

/// What zlib could not do.
#[exception]
pub struct ZlibError {
    /// In zlib's words.
    pub message: String,
    /// zlib's return code.
    pub code: i64,
}

/// Asks the stream what went wrong.
#[derive(Debug, Default)]
pub struct ZlibErrors;

impl ZlibErrors {
    fn error(said: Option<String>, status: Option<i64>) -> Error {
        let code = status.unwrap_or_default();
        let general = || i32::try_from(code).ok().and_then(Compressor::message_of);
        let message = said
            .or_else(general)
            .unwrap_or_else(|| "unknown error".into());
        ZlibError { message, code }.into()
    }
}

impl ErrorSource<Compressor> for ZlibErrors {
    fn into_error(self, call: &CallInfo<'_, Compressor>) -> Error {
        Self::error(call.handle().and_then(Compressor::message), call.status)
    }
}

impl ErrorSource<Decompressor> for ZlibErrors {
    fn into_error(self, call: &CallInfo<'_, Decompressor>) -> Error {
        Self::error(call.handle().and_then(Decompressor::message), call.status)
    }
}

/// Compresses a stream.
#[handle(caller_allocates = ffi::z_stream, release = ffi::deflateEnd, errors(ZlibErrors, asks_handle), fork_safe)]
pub struct Compressor;

#[methods(unsafe)]
impl Compressor {
    /// Begin a stream (deflateInit2).
    ///
    /// `level` is 0 to 9, or -1 for zlib's own choice. `window` is the base-two logarithm of the window, 9 to 15; plus 16
    /// for gzip's format, negative for a raw stream.
    ///
    /// Raises ZlibError for numbers that zlib does not know.
    #[new]
    #[pyo3(signature = (level = -1, *, window = 15))]
    #[calls(
        ffi::deflateInit2_,
        args = (out, level, DEFLATED, window, 8, 0, version(), SIZE),
        fails = nonzero,
        on_failure = null
    )]
    fn new(level: c_int, window: c_int) -> Result<Owned<Compressor>>;

    #[rust_only]
    #[calls(
        ffi::deflate,
        args = (self, flush),
        fields(next_in = input.ptr, avail_in = input.len, next_out = output.ptr, avail_out = output.len),
        fails = when(is_failure),
        detach
    )]
    fn step(&mut self, input: Buffer<'_>, output: &mut [u8], flush: c_int) -> Result<c_int>;

    #[rust_only]
    #[field(avail_in)]
    fn left_to_read(&self) -> u32;

    #[rust_only]
    #[field(avail_out)]
    fn left_to_write(&self) -> u32;

    #[rust_only]
    #[field(msg, utf8 = lossy)]
    fn message(&self) -> Option<String>;

    #[rust_only]
    #[calls(ffi::zError, utf8 = lossy)]
    fn message_of(code: c_int) -> Option<String>;

    #[rust_only]
    fn run(&mut self, data: &Buffer<'_>, flush: c_int) -> Result<Bytes> {
        let mut result = Vec::new();
        let mut chunk = vec![0; CHUNK];
        let mut read = 0;
        loop {
            let part = data.part(read, PART);
            let count = part.len();
            // What follows the part is not to be flushed before it is there.
            let last = read + count == data.len();
            self.step(part, &mut chunk, if last { flush } else { NO_FLUSH })?;
            read += count - self.left_to_read() as usize;
            let left = self.left_to_write() as usize;
            result.extend_from_slice(&chunk[..CHUNK - left]);
            if left > 0 && read == data.len() {
                return Ok(Bytes(result));
            }
        }
    }

    /// Compress these bytes; what can be written already (deflate).
    fn compress(&mut self, data: Buffer<'_>) -> Result<Bytes> {
        self.run(&data, NO_FLUSH)
    }

    /// Write all that was compressed so far; the stream can go on (deflate with Z_SYNC_FLUSH).
    fn flush(&mut self) -> Result<Bytes> {
        self.run(&Buffer::from(&[][..]), SYNC_FLUSH)
    }

    /// Write the stream's end (deflate with Z_FINISH).
    fn finish(&mut self) -> Result<Bytes> {
        self.run(&Buffer::from(&[][..]), FINISH)
    }

    /// Begin a new stream with the same settings (deflateReset).
    #[calls(ffi::deflateReset, fails = nonzero)]
    fn reset(&mut self) -> Result<()>;

    /// A compressor in the same state (deflateCopy).
    #[calls(ffi::deflateCopy, args = (out, self), fails = nonzero, on_failure = null)]
    fn copy(&mut self) -> Result<Owned<Compressor>>;
}

/// Decompresses a stream.
#[handle(caller_allocates = ffi::z_stream, release = ffi::inflateEnd, errors(ZlibErrors, asks_handle), fork_safe)]
pub struct Decompressor;

#[methods(unsafe)]
impl Decompressor {
    /// Begin a stream (inflateInit2). `window` is as for the compressor; plus 32 tells zlib's format and gzip's apart.
    #[new]
    #[pyo3(signature = (*, window = 15))]
    #[calls(ffi::inflateInit2_, args = (out, window, version(), SIZE), fails = nonzero, on_failure = null)]
    fn new(window: c_int) -> Result<Owned<Decompressor>>;

    #[rust_only]
    #[calls(
        ffi::inflate,
        args = (self, NO_FLUSH),
        fields(next_in = input.ptr, avail_in = input.len, next_out = output.ptr, avail_out = output.len),
        fails = when(is_failure),
        detach
    )]
    fn step(&mut self, input: Buffer<'_>, output: &mut [u8]) -> Result<c_int>;

    #[rust_only]
    #[field(avail_in)]
    fn left_to_read(&self) -> u32;

    #[rust_only]
    #[field(avail_out)]
    fn left_to_write(&self) -> u32;

    #[rust_only]
    #[field(msg, utf8 = lossy)]
    fn message(&self) -> Option<String>;

    /// Decompress these bytes (inflate): what they hold, and how many of them were used; fewer than there are where the
    /// stream ends before them.
    ///
    /// Raises ZlibError for what is no such stream.
    fn decompress(&mut self, data: Buffer<'_>) -> Result<(Bytes, u64)> {
        let mut result = Vec::new();
        let mut chunk = vec![0; CHUNK];
        let mut read = 0;
        loop {
            let part = data.part(read, PART);
            let count = part.len();
            let status = self.step(part, &mut chunk)?;
            read += count - self.left_to_read() as usize;
            let left = self.left_to_write() as usize;
            result.extend_from_slice(&chunk[..CHUNK - left]);
            if status == STREAM_END || left > 0 && read == data.len() {
                return Ok((Bytes(result), read as u64));
            }
        }
    }

    /// Begin a new stream with the same settings (inflateReset).
    #[calls(ffi::inflateReset, fails = nonzero)]
    fn reset(&mut self) -> Result<()>;
}

/// zlib for Python: compressors and decompressors for streams.
#[leakproof::module]
mod zlib_safe {
    #[pymodule_export]
    use super::{Compressor, Decompressor, ZlibError};
}

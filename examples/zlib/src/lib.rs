//! zlib for Python: a struct that C initializes in place, buffers that zlib reads and writes without a copy.

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
/// The size in bytes of the buffer for output.
const CHUNK: usize = 64 << 10;
/// The maximum number of input bytes per call, which must fit zlib's `uInt`.
const PART: usize = 1 << 30;

/// The version of the header, which zlib compares to its own version.
fn version() -> *const c_char {
    ffi::ZLIB_VERSION.as_ptr().cast()
}

/// Returns `true` if `status` is an error. `Z_BUF_ERROR` is none: no progress was possible.
fn is_failure(status: c_int) -> bool {
    status == ffi::Z_NEED_DICT.cast_signed() || status < 0 && status != ffi::Z_BUF_ERROR
}

/// An error that zlib reported.
#[exception]
pub struct ZlibError {
    /// The message, in zlib's words.
    pub message: String,
    /// zlib's return code.
    pub code: i64,
}

/// Takes the error's message from the stream.
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

/// A stream that is compressed.
#[handle(caller_allocates = ffi::z_stream, release = ffi::deflateEnd, errors(ZlibErrors, asks_handle), fork_safe)]
pub struct Compressor;

#[methods(unsafe)]
impl Compressor {
    /// Begin a stream (deflateInit2).
    ///
    /// `level` is 0 to 9, or -1 for zlib's default. `window` is the base-two logarithm of the window size, 9 to 15. Add
    /// 16 for the gzip format; a negative number makes a raw stream.
    ///
    /// Raises ZlibError if zlib does not accept `level` or `window`.
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
            // The flush must wait for the last part.
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

    /// Compress `data` (deflate). Return the output that is available so far.
    fn compress(&mut self, data: Buffer<'_>) -> Result<Bytes> {
        self.run(&data, NO_FLUSH)
    }

    /// Return the output of all data so far; the stream can be continued (deflate with Z_SYNC_FLUSH).
    fn flush(&mut self) -> Result<Bytes> {
        self.run(&Buffer::from(&[][..]), SYNC_FLUSH)
    }

    /// End the stream, and return the rest of the output (deflate with Z_FINISH).
    fn finish(&mut self) -> Result<Bytes> {
        self.run(&Buffer::from(&[][..]), FINISH)
    }

    /// Begin a new stream with the same settings (deflateReset).
    #[calls(ffi::deflateReset, fails = nonzero)]
    fn reset(&mut self) -> Result<()>;

    /// Return a copy of the compressor in its present state (deflateCopy).
    #[calls(ffi::deflateCopy, args = (out, self), fails = nonzero, on_failure = null)]
    fn copy(&mut self) -> Result<Owned<Compressor>>;
}

/// A stream that is decompressed.
#[handle(caller_allocates = ffi::z_stream, release = ffi::inflateEnd, errors(ZlibErrors, asks_handle), fork_safe)]
pub struct Decompressor;

#[methods(unsafe)]
impl Decompressor {
    /// Begin a stream (inflateInit2). `window` is as for the compressor; add 32 to detect the zlib or gzip format.
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

    /// Decompress `data` (inflate). Return the output and the number of bytes used, which is less than the length of
    /// `data` if the stream ends before.
    ///
    /// Raises ZlibError if `data` is not a valid stream.
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

//! Copies of C's data that may run out of memory.
//!
//! The standard library aborts the process if an allocation fails. C's data may be larger than the free memory, so each
//! copy reserves its memory first. If that fails, the copy unwinds with [`OutOfMemory`], and the unwinding releases
//! everything on the way. In Python the call then raises `MemoryError`.

use std::collections::TryReserveError;
use std::ffi::CString;

/// The panic payload of a copy that found no memory.
#[derive(Debug)]
pub(crate) struct OutOfMemory;

/// Unwinds without a message: no panic hook runs, since that would allocate, too.
#[cold]
fn exhausted(_: TryReserveError) -> ! {
    std::panic::resume_unwind(Box::new(OutOfMemory))
}

/// An empty vector with room for `count` elements.
pub(crate) fn room<T>(count: usize) -> Vec<T> {
    let mut elements = Vec::new();
    let reserved = elements.try_reserve_exact(count);
    reserved.unwrap_or_else(|error| exhausted(error));
    elements
}

/// A copy of `bytes`.
pub(crate) fn bytes(bytes: &[u8]) -> Vec<u8> {
    let mut copy = room(bytes.len());
    copy.extend_from_slice(bytes);
    copy
}

/// A copy of `bytes`, with a NUL at its end; `None` if there is one inside.
pub(crate) fn c_string(bytes: &[u8]) -> Option<CString> {
    let mut copy = room(bytes.len() + 1);
    copy.extend_from_slice(bytes);
    copy.push(0);
    CString::from_vec_with_nul(copy).ok()
}

/// A copy of `bytes`, in which U+FFFD stands for what is not UTF-8.
pub(crate) fn string(bytes: &[u8]) -> String {
    let mut copy = String::new();
    let mut append = |part: &str| {
        let reserved = copy.try_reserve(part.len());
        reserved.unwrap_or_else(|error| exhausted(error));
        copy.push_str(part);
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        append(text);
        return copy;
    }
    for chunk in bytes.utf8_chunks() {
        append(chunk.valid());
        if !chunk.invalid().is_empty() {
            append("\u{fffd}");
        }
    }
    copy
}

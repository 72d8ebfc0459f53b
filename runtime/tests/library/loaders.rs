//! Loaders, which explain their failures through a parameter. Each function fails for a negative number.

use std::ffi::{c_char, c_int};
use std::ptr;

use super::control::{acquire, release};

pub struct loader {
    _memory: u8,
}

#[derive(Clone, Copy, Default)]
#[repr(C)]
pub struct place {
    pub line: c_int,
    pub column: c_int,
}

pub struct failure {
    pub code: c_int,
}

pub unsafe extern "C" fn loader_new() -> *mut loader {
    acquire("loader_new", loader { _memory: 0 })
}

pub unsafe extern "C" fn loader_free(it: *mut loader) {
    release("loader_free", it);
}

pub unsafe extern "C" fn load_place(_: *mut loader, n: c_int, place: *mut place) -> c_int {
    if n < 0 {
        // SAFETY: as C: there is room for a place.
        unsafe {
            *place = self::place {
                line: -n,
                column: 2,
            }
        };
    }
    n.min(0)
}

pub unsafe extern "C" fn load_numbers(
    n: c_int,
    code: *mut c_int,
    offset: *mut usize,
) -> *mut loader {
    if n >= 0 {
        // SAFETY: it asserts nothing.
        return unsafe { loader_new() };
    }
    // SAFETY: as C: there is room for both numbers.
    unsafe { (*code, *offset) = (n, 7) };
    ptr::null_mut()
}

const BAD_TEXT: &[u8; 12] = b"bad \xff thing\0";

/// Makes text that `message_free` frees, also where it succeeds with a warning (1). Writes nothing for 0 and -9.
pub unsafe extern "C" fn load_text(_: *mut loader, n: c_int, text: *mut *mut c_char) -> c_int {
    if n != 0 && n != -9 {
        // SAFETY: as C: there is room for a pointer.
        unsafe { *text = acquire("load_text", *BAD_TEXT).cast() };
    }
    n.min(0)
}

/// Returns four bytes, writes their number, and makes a text with a warning, which `message_free` frees.
pub unsafe extern "C" fn load_bytes(
    _: *mut loader,
    count: *mut u32,
    text: *mut *mut c_char,
) -> *const u8 {
    // SAFETY: as C: there is room for a number and a pointer.
    unsafe {
        *count = 4;
        *text = acquire("load_bytes", *BAD_TEXT).cast();
    }
    c"four".as_ptr().cast()
}

pub unsafe extern "C" fn message_free(text: *mut c_char) {
    release("message_free", text.cast::<[u8; BAD_TEXT.len()]>());
}

pub unsafe extern "C" fn load_constant(
    _: *mut loader,
    n: c_int,
    text: *mut *const c_char,
) -> c_int {
    // SAFETY: as C: there is room for a pointer.
    unsafe { *text = c"a constant".as_ptr() };
    n.min(0)
}

/// Makes a failure as `load_text` makes text.
pub unsafe extern "C" fn load_failure(
    _: *mut loader,
    n: c_int,
    failure: *mut *mut failure,
) -> c_int {
    if n != 0 && n != -9 {
        // SAFETY: as C: there is room for a pointer.
        unsafe { *failure = acquire("load_failure", self::failure { code: n }) };
    }
    n.min(0)
}

pub unsafe extern "C" fn failure_new(code: c_int) -> *mut failure {
    acquire("failure_new", failure { code })
}

pub unsafe extern "C" fn failure_free(it: *mut failure) {
    release("failure_free", it);
}

pub unsafe extern "C" fn load_buffer(
    _: *mut loader,
    n: c_int,
    text: *mut c_char,
    size: usize,
) -> c_int {
    if n < 0 {
        let message = &b"too long a message"[..size - 1];
        // SAFETY: as C: there is room for so many characters.
        unsafe { ptr::copy_nonoverlapping(message.as_ptr().cast(), text, message.len()) };
    }
    n.min(0)
}

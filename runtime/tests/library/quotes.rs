//! Quotes, which are written to memory of the caller in the ways of several libraries.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::slice;

use super::control::{acquire, note, release};

pub const QUOTE_TOO_SMALL: c_int = -2;

// SAFETY: the declaration of the C library.
unsafe extern "C" {
    pub fn getcwd(memory: *mut c_char, size: usize) -> *mut c_char;
}

pub struct quote {
    text: Vec<u8>,
}

pub unsafe extern "C" fn quote_new(text: *const c_char) -> *mut quote {
    // SAFETY: a C string.
    let text = unsafe { CStr::from_ptr(text) }.to_bytes().to_vec();
    acquire("quote_new", quote { text })
}

pub unsafe extern "C" fn quote_free(it: *mut quote) {
    release("quote_free", it);
}

/// Writes at most `size` bytes, and returns how many.
///
/// # Safety
///
/// `it` is valid, and so is the memory.
unsafe fn write(it: *const quote, memory: *mut c_void, size: usize) -> usize {
    // SAFETY: the caller's promise.
    let (text, memory) = unsafe {
        let text = &(*it).text;
        (text, slice::from_raw_parts_mut(memory.cast::<u8>(), size))
    };
    note(format!("{size} bytes"));
    let count = text.len().min(size);
    memory[..count].copy_from_slice(&text[..count]);
    count
}

/// Writes the number of bytes to `size`, or the number that it needs, as `getsockopt` and PCRE2. After another failure,
/// as in PCRE2, the number says nothing.
pub unsafe extern "C" fn quote_get(it: *const quote, memory: *mut c_void, size: *mut u32) -> c_int {
    // SAFETY: a valid quote, memory and its size.
    unsafe {
        let needed = (*it).text.len() as u32;
        if needed == 13 {
            note("quote_get failed");
            size.write(1 << 20);
            return -1;
        }
        let given = size.replace(needed);
        if needed > given {
            note(format!("{given} bytes"));
            return QUOTE_TOO_SMALL;
        }
        write(it, memory, given as usize);
    }
    0
}

/// Writes the number of bytes to `size`, and does not say how many it needs.
pub unsafe extern "C" fn quote_fetch(it: *const quote, memory: *mut u8, size: *mut usize) -> c_int {
    // SAFETY: a valid quote, memory and its size.
    unsafe {
        let given = *size;
        if (*it).text.len() > given {
            note(format!("{given} bytes"));
            return QUOTE_TOO_SMALL;
        }
        *size = write(it, memory.cast(), given);
    }
    0
}

/// Returns the length of the whole text without its NUL, as `snprintf`.
pub unsafe extern "C" fn quote_print(it: *const quote, memory: *mut c_char, size: c_int) -> c_int {
    // SAFETY: a valid quote and memory.
    unsafe {
        let length = (*it).text.len();
        if length == 13 {
            return -1;
        }
        let count = write(it, memory.cast(), (size - 1) as usize);
        memory.add(count).write(0);
        length as c_int
    }
}

/// Cuts the text, and returns how much it wrote, as `readlink`.
pub unsafe extern "C" fn quote_read(it: *const quote, memory: *mut c_void, size: u8) -> isize {
    // SAFETY: a valid quote and memory.
    unsafe { write(it, memory, size.into()) as isize }
}

/// Cuts the text, and returns how much it wrote; after a failure the largest number, as `mbstowcs`.
pub unsafe extern "C" fn quote_copy(it: *const quote, memory: *mut c_void, size: usize) -> usize {
    // SAFETY: a valid quote and memory.
    unsafe {
        if (*it).text.len() == 13 {
            note("quote_copy failed");
            return usize::MAX;
        }
        write(it, memory, size)
    }
}

/// Returns a status, and writes a text that ends with NUL, as `strerror_r` of XSI. After a failure that has another
/// reason than the size, the memory has no NUL.
pub unsafe extern "C" fn quote_explain(
    it: *const quote,
    memory: *mut c_char,
    size: usize,
) -> c_int {
    const TOO_SMALL: c_int = 34;
    // SAFETY: a valid quote and memory.
    unsafe {
        if (*it).text.len() == 13 {
            note("quote_explain failed");
            memory.write_bytes(b'?', size);
            return -1;
        }
        let count = write(it, memory.cast(), size - 1);
        memory.add(count).write(0);
        match count < (*it).text.len() {
            true => TOO_SMALL,
            false => 0,
        }
    }
}

/// Returns the size with the NUL, or 0 after a failure, as `confstr`.
pub unsafe extern "C" fn quote_size(it: *const quote, memory: *mut c_char, size: usize) -> usize {
    // SAFETY: a valid quote and memory.
    unsafe {
        if (*it).text.len() == 13 {
            note("quote_size failed");
            return 0;
        }
        let count = write(it, memory.cast(), size - 1);
        memory.add(count).write(0);
        (*it).text.len() + 1
    }
}

/// Always wants more.
pub unsafe extern "C" fn quote_grow(_: *const quote, _: *mut c_void, size: *mut usize) -> c_int {
    // SAFETY: a valid size.
    note(format!("{} bytes", unsafe { *size }));
    QUOTE_TOO_SMALL
}

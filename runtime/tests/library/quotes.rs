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

/// Writes the text with `to` in place of each `from`, and returns the number of those, as `pcre2_substitute`. The
/// number in `size` is that of bytes; after a failure the position of a mistake in `to`, or the largest number.
pub unsafe extern "C" fn quote_replace(
    it: *const quote,
    from: c_int,
    to: *const c_char,
    memory: *mut c_void,
    size: *mut usize,
) -> c_int {
    // SAFETY: a valid quote, a text, memory and its size.
    unsafe {
        let (text, to) = (&(*it).text, CStr::from_ptr(to).to_bytes());
        let given = size.replace(usize::MAX);
        note(format!("{given} bytes"));
        if text.len() == 13 {
            return -4;
        }
        if let Some(position) = to.iter().position(|byte| *byte == b'$') {
            size.write(position);
            return -3;
        }
        let parts: Vec<&[u8]> = text.split(|byte| c_int::from(*byte) == from).collect();
        let replaced = parts.join(to);
        size.write(replaced.len());
        if replaced.len() > given {
            return QUOTE_TOO_SMALL;
        }
        memory
            .cast::<u8>()
            .copy_from(replaced.as_ptr(), replaced.len());
        parts.len() as c_int - 1
    }
}

/// Cuts the text, returns how much it wrote, and writes 1 to `cut` and the first byte to `first`, as a `recvmsg` that
/// only peeks. Where it cuts nothing, it leaves `cut` alone.
pub unsafe extern "C" fn quote_peek(
    it: *const quote,
    cut: *mut c_int,
    memory: *mut c_void,
    size: usize,
    first: *mut u8,
) -> isize {
    // SAFETY: a valid quote, memory, and numbers to write to.
    unsafe {
        let text = &(*it).text;
        let Some(byte) = text.first() else { return -1 };
        first.write(*byte);
        if text.len() >= size {
            cut.write(1);
        }
        write(it, memory, size) as isize
    }
}

/// Writes the text, and to `code` the reason of a failure. A second failure, for 13 letters, has no code.
pub unsafe extern "C" fn quote_check(
    it: *const quote,
    memory: *mut c_void,
    size: *mut usize,
    code: *mut c_int,
) -> c_int {
    // SAFETY: a valid quote, memory and its size, and a number to write to.
    unsafe {
        let (length, given) = ((*it).text.len(), *size);
        size.write(length);
        match length {
            0 => {
                code.write(7);
                -1
            }
            _ if length > given => {
                code.write(QUOTE_TOO_SMALL);
                QUOTE_TOO_SMALL
            }
            13 => -1,
            _ => {
                write(it, memory, given);
                0
            }
        }
    }
}

/// Returns a status, and writes a text that ends with NUL, as `strerror_r` of XSI. After a failure for another reason
/// than the size, the memory has no NUL.
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

//! Letters: text and bytes that the library lends, and copies that the caller frees.

use std::ffi::{c_char, c_int, c_void};
use std::{ptr, slice};

use super::control::{acquire, note, release};

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// A letter of `length` bytes. A NUL stands behind them.
#[repr(C)]
pub struct letter {
    pub text: *const c_char,
    pub length: usize,
    /// The first bytes. There is no NUL behind eight of them.
    pub title: [c_char; 8],
}

/// Copies the text, which may be NULL.
pub unsafe extern "C" fn letter_new(text: *const c_char, length: usize) -> *mut letter {
    let mut title = [0; 8];
    // SAFETY: as C: so many characters may be read, and a title has at most eight of them.
    let text = unsafe {
        let kept = length.min(title.len());
        ptr::copy_nonoverlapping(
            text,
            title.as_mut_ptr(),
            if text.is_null() { 0 } else { kept },
        );
        copy_of(text, length).cast()
    };
    acquire(
        "letter_new",
        letter {
            text,
            length,
            title,
        },
    )
}

pub unsafe extern "C" fn letter_free(letter: *mut letter) {
    // SAFETY: a valid letter, released once.
    unsafe {
        free((*letter).text.cast_mut().cast());
        release("letter_free", letter);
    }
}

/// Lends the text.
pub unsafe extern "C" fn letter_text(letter: *const letter) -> *const c_char {
    // SAFETY: a valid letter.
    unsafe { (*letter).text }
}

/// Lends the bytes.
pub unsafe extern "C" fn letter_bytes(letter: *const letter, length: *mut usize) -> *const c_void {
    // SAFETY: a valid letter, and a place for the length.
    unsafe {
        *length = (*letter).length;
        (*letter).text.cast()
    }
}

/// Returns a copy that `copy_free` frees.
pub unsafe extern "C" fn letter_copy(letter: *const letter) -> *mut c_char {
    note("letter_copy");
    // SAFETY: a valid letter.
    unsafe { copy_of((*letter).text, (*letter).length).cast() }
}

/// Returns a copy that `copy_free` frees, and its length.
pub unsafe extern "C" fn letter_copy_bytes(
    letter: *const letter,
    length: *mut usize,
) -> *mut c_void {
    // SAFETY: a valid letter, and a place for the length.
    unsafe {
        *length = (*letter).length;
        letter_copy(letter).cast()
    }
}

pub unsafe extern "C" fn copy_free(copy: *mut c_void) {
    note("copy_free");
    // SAFETY: a copy, which is freed once.
    unsafe { free(copy) };
}

/// Lends a text that always is there; NULL for any `which` but 0.
pub unsafe extern "C" fn letter_nowhere(which: c_char) -> *const c_char {
    match which {
        0 => c"nowhere".as_ptr(),
        _ => ptr::null(),
    }
}

pub unsafe extern "C" fn letter_places(columns: c_int, rows: c_int) -> c_int {
    columns * rows
}

/// Copies `length` characters, and a NUL behind them; NULL for NULL.
unsafe fn copy_of(text: *const c_char, length: usize) -> *mut c_void {
    if text.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: as C: so many characters may be read; the memory has room for them and the NUL.
    unsafe {
        let copy = malloc(length + 1);
        let place = slice::from_raw_parts_mut(copy.cast::<u8>(), length + 1);
        place[..length].copy_from_slice(slice::from_raw_parts(text.cast(), length));
        place[length] = 0;
        copy
    }
}

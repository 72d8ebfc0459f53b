//! Pictures: memory whose length C gives in other units than elements.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;

use super::control::{acquire, release};

#[repr(C)]
pub struct picture {
    pub rows: c_int,
    pub columns: c_int,
    pub bytes: *mut u8,
    pub size: usize,
    pub words: *mut u16,
    pub name: *const c_char,
    pub frame: *mut picture,
    /// Other names, and NULL.
    pub aliases: *mut *mut c_char,
    /// Numbers, and 0.
    pub years: *mut c_int,
}

/// The number of bytes of a pixel.
pub const DEPTH: u8 = 2;

/// Makes a picture whose bytes count from 0. Without rows, all its pointers are NULL. It is its own frame.
pub unsafe extern "C" fn picture_new(rows: c_int, columns: c_int) -> *mut picture {
    let size = usize::try_from(rows * columns * c_int::from(DEPTH)).unwrap_or(0);
    let bytes: Box<[u8]> = (0..size).map(|byte| byte.to_le_bytes()[0]).collect();
    let words: Box<[u16]> = (0..size).map(|_| 7).collect();
    let is_there = rows != 0;
    let made = acquire(
        "picture_new",
        picture {
            rows,
            columns,
            bytes: Box::into_raw(bytes).cast(),
            size,
            words: Box::into_raw(words).cast(),
            name: c"picture".as_ptr(),
            frame: ptr::null_mut(),
            aliases: Box::into_raw(Box::new(
                [c"image".as_ptr(), c"figure".as_ptr(), ptr::null()].map(<*const _>::cast_mut),
            ))
            .cast(),
            years: Box::into_raw(Box::new([1503, 1911, 0, 7])).cast(),
        },
    );
    // SAFETY: just made.
    unsafe {
        (*made).frame = made;
        if !is_there {
            picture_erase(made);
        }
    }
    made
}

/// Frees the memory, and makes all pointers NULL.
pub unsafe extern "C" fn picture_erase(picture: *mut picture) {
    // SAFETY: a valid picture, whose arrays `picture_new` made.
    unsafe {
        let it = &mut *picture;
        if !it.bytes.is_null() {
            drop(Box::from_raw(ptr::slice_from_raw_parts_mut(
                it.bytes, it.size,
            )));
            drop(Box::from_raw(ptr::slice_from_raw_parts_mut(
                it.words, it.size,
            )));
            drop(Box::from_raw(it.aliases.cast::<[*mut c_char; 3]>()));
            drop(Box::from_raw(it.years.cast::<[c_int; 4]>()));
        }
        it.bytes = ptr::null_mut();
        it.words = ptr::null_mut();
        it.aliases = ptr::null_mut();
        it.years = ptr::null_mut();
        it.name = ptr::null();
        it.frame = ptr::null_mut();
    }
}

pub unsafe extern "C" fn picture_free(picture: *mut picture) {
    // SAFETY: a valid picture, released once.
    unsafe { picture_erase(picture) };
    release("picture_free", picture);
}

pub unsafe extern "C" fn picture_set_size(picture: *mut picture, rows: c_int, columns: c_int) {
    // SAFETY: a valid picture.
    unsafe {
        (*picture).rows = rows;
        (*picture).columns = columns;
    }
}

pub unsafe extern "C" fn picture_rows(picture: *const picture) -> c_int {
    // SAFETY: a valid picture.
    unsafe { (*picture).rows }
}

pub unsafe extern "C" fn picture_bytes(picture: *const picture, _from: c_int) -> *const u8 {
    // SAFETY: a valid picture.
    unsafe { (*picture).bytes }
}

/// Writes the number of pixels. NULL for a picture without memory.
pub unsafe extern "C" fn picture_pixels(picture: *const picture, pixels: *mut c_int) -> *const u8 {
    // SAFETY: a valid picture, and a place for the number.
    unsafe {
        *pixels = (*picture).rows.wrapping_mul((*picture).columns);
        (*picture).bytes
    }
}

/// Writes memory with as many zeros as any test needs, which the caller frees, and the number of pixels.
pub unsafe extern "C" fn picture_copy(
    picture: *const picture,
    to: *mut *mut u8,
    pixels: *mut c_int,
) -> c_int {
    // SAFETY: a valid picture, and places for the results.
    unsafe {
        *to = acquire("picture_copy", [0_u8; 64]).cast();
        *pixels = (*picture).rows.wrapping_mul((*picture).columns);
    }
    0
}

pub unsafe extern "C" fn picture_free_bytes(bytes: *mut u8) {
    release("picture_free_bytes", bytes.cast::<[u8; 64]>());
}

/// Writes a pointer to the first word of the picture.
pub unsafe extern "C" fn picture_word(picture: *const picture, to: *mut *const u16) {
    // SAFETY: a valid picture, and a place for the pointer.
    unsafe { *to = (*picture).words }
}

pub unsafe extern "C" fn picture_name_length(picture: *const picture) -> usize {
    // SAFETY: a valid picture with a name.
    unsafe { CStr::from_ptr((*picture).name) }.count_bytes()
}

pub unsafe extern "C" fn picture_columns(picture: *const picture) -> c_int {
    // SAFETY: a valid picture.
    unsafe { (*picture).columns }
}

pub unsafe extern "C" fn picture_size(picture: *const picture) -> usize {
    // SAFETY: a valid picture.
    unsafe { (*picture).size }
}

/// What `picture_info` writes: the start of the bytes.
pub const BYTES: c_int = 1;

/// What `picture_info` writes: the number of columns.
pub const COLUMNS: c_int = 2;

/// Writes what is asked for, through a pointer of its type. 1 for anything unknown; 2 for a picture without memory.
pub unsafe extern "C" fn picture_info(
    picture: *const picture,
    what: c_int,
    to: *mut c_void,
) -> c_int {
    // SAFETY: a valid picture, and a place for what is asked for.
    unsafe {
        match what {
            BYTES if (*picture).bytes.is_null() => return 2,
            BYTES => *to.cast::<*const u8>() = (*picture).bytes,
            COLUMNS => *to.cast::<c_int>() = (*picture).columns,
            _ => return 1,
        }
    }
    0
}

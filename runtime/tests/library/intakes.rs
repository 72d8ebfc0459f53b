//! Intakes, which ask callbacks to fill their memory.

#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "C code: every function takes valid pointers"
)]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use super::control::{acquire, release};

/// Returns how many bytes were written, 0 at the end, and -1 on failure, as jansson's.
pub type load_t = Option<unsafe extern "C" fn(*mut c_void, usize, *mut c_void) -> usize>;
/// Returns the same in `int`s, as libxml2's.
pub type input_t = Option<unsafe extern "C" fn(*mut c_void, *mut c_char, c_int) -> c_int>;
/// Gets the length as a product, as curl's.
pub type items_t = Option<unsafe extern "C" fn(*mut c_char, usize, usize, *mut c_void) -> usize>;
/// Fills all of the memory, and returns a status, as SQLite's.
pub type at_t = Option<unsafe extern "C" fn(*mut c_void, *mut c_void, c_int, i64) -> c_int>;
/// Fills all of the memory, and returns nothing.
pub type seed_t = Option<unsafe extern "C" fn(*mut c_void, *mut u8, usize)>;
/// Asks for more than its return type can say.
pub type claim_t = Option<unsafe extern "C" fn(*mut c_void, *mut u8, usize) -> i8>;
/// The opposite: C passes items that the callback reads.
pub type drain_t = Option<unsafe extern "C" fn(*const c_char, c_int, c_int, *mut c_void) -> c_int>;
/// Numbers in rows.
pub type rows_t = Option<unsafe extern "C" fn(*const u16, c_int, c_int, *mut c_void) -> c_int>;

/// An intake, which asks for `chunk` bytes at a time.
pub struct intake {
    pub chunk: c_int,
    /// No memory is passed if this is not 0.
    pub nowhere: c_int,
    taken: Vec<u8>,
}

pub unsafe extern "C" fn intake_new(chunk: c_int) -> *mut intake {
    let taken = Vec::new();
    acquire(
        "intake_new",
        intake {
            chunk,
            nowhere: 0,
            taken,
        },
    )
}

pub unsafe extern "C" fn intake_free(it: *mut intake) {
    release("intake_free", it);
}

/// Returns what was taken so far.
pub unsafe extern "C" fn intake_taken(it: *mut intake, count: *mut usize) -> *const u8 {
    unsafe {
        *count = (*it).taken.len();
        (*it).taken.as_ptr()
    }
}

/// Passes memory of `chunk` bytes, and adds as many of these as `read` returns. Returns what `read` returned. The
/// memory is uninitialized under Miri, and garbage otherwise.
unsafe fn take(it: *mut intake, read: impl FnOnce(*mut u8) -> isize) -> isize {
    let (chunk, nowhere) = unsafe { ((*it).chunk, (*it).nowhere != 0) };
    let mut memory: Vec<u8> = Vec::with_capacity(usize::try_from(chunk).unwrap_or(0).max(1));
    if !cfg!(miri) {
        memory
            .spare_capacity_mut()
            .fill(std::mem::MaybeUninit::new(0xaa));
    }
    let start = match nowhere {
        true => ptr::null_mut(),
        false => memory.as_mut_ptr(),
    };
    let count = read(start);
    if let (Ok(filled), false) = (usize::try_from(count), nowhere) {
        assert!(filled <= memory.capacity(), "C was told of {filled} bytes");
        unsafe { memory.set_len(filled) };
        unsafe { &mut (*it).taken }.append(&mut memory);
    }
    count
}

/// Reads to the end. Returns -1 on failure.
unsafe fn take_all(it: *mut intake, read: impl Fn(*mut u8) -> isize) -> c_int {
    loop {
        match unsafe { take(it, &read) } {
            0 => return 0,
            count if count < 0 => return -1,
            _ => {}
        }
    }
}

pub unsafe extern "C" fn intake_load(it: *mut intake, read: load_t, data: *mut c_void) -> c_int {
    let (read, chunk) = (read.unwrap(), unsafe { (*it).chunk as usize });
    unsafe { take_all(it, |start| read(start.cast(), chunk, data).cast_signed()) }
}

pub unsafe extern "C" fn intake_input(it: *mut intake, read: input_t, data: *mut c_void) -> c_int {
    let (read, chunk) = (read.unwrap(), unsafe { (*it).chunk });
    unsafe { take_all(it, |start| read(data, start.cast(), chunk) as isize) }
}

/// Asks for `chunk` bytes, as `count` items.
pub unsafe extern "C" fn intake_items(
    it: *mut intake,
    size: usize,
    count: usize,
    read: items_t,
    data: *mut c_void,
) -> c_int {
    let read = read.unwrap();
    unsafe {
        take_all(it, |start| {
            read(start.cast(), size, count, data).cast_signed()
        })
    }
}

/// Takes all of the memory, unless the status says that it failed.
pub unsafe extern "C" fn intake_at(
    it: *mut intake,
    read: at_t,
    data: *mut c_void,
    offset: i64,
) -> c_int {
    let (read, chunk) = (read.unwrap(), unsafe { (*it).chunk });
    let mut status = 0;
    let read = |start: *mut u8| {
        status = unsafe { read(data, start.cast(), chunk, offset) };
        if status < 0 { -1 } else { chunk as isize }
    };
    unsafe { take(it, read) };
    status
}

/// Takes all of the memory.
pub unsafe extern "C" fn intake_seed(it: *mut intake, read: seed_t, data: *mut c_void) {
    let (read, chunk) = (read.unwrap(), unsafe { (*it).chunk as usize });
    let read = |start| {
        unsafe { read(data, start, chunk) };
        chunk as isize
    };
    unsafe { take(it, read) };
}

/// Takes what it is told, of `chunk` bytes.
pub unsafe extern "C" fn intake_claim(it: *mut intake, read: claim_t, data: *mut c_void) -> c_int {
    let (read, chunk) = (read.unwrap(), unsafe { (*it).chunk as usize });
    unsafe { take(it, |start| read(data, start, chunk).into()) as c_int }
}

/// Passes what was taken, as `count` items.
pub unsafe extern "C" fn intake_drain(
    it: *mut intake,
    size: c_int,
    count: c_int,
    drain: drain_t,
    data: *mut c_void,
) -> c_int {
    let start = unsafe { (*it).taken.as_ptr() };
    unsafe { drain.unwrap()(start.cast(), size, count, data) }
}

/// Passes six numbers, as rows.
pub unsafe extern "C" fn intake_rows(
    _: *mut intake,
    rows: c_int,
    columns: c_int,
    read: rows_t,
    data: *mut c_void,
) -> c_int {
    let numbers = [1_u16, 2, 3, 4, 5, 6];
    unsafe { read.unwrap()(numbers.as_ptr(), rows, columns, data) }
}

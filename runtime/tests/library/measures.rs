//! Measures: numbers that are compared and added.

use std::ffi::{c_char, c_int};
use std::ptr;

use super::control::{acquire, fails, release};

pub struct measure {
    pub length: c_int,
}

pub unsafe extern "C" fn measure_new(length: c_int) -> *mut measure {
    // SAFETY: null is no callback.
    if unsafe { fails(ptr::null()) } {
        return ptr::null_mut();
    }
    acquire("measure_new", measure { length })
}

pub unsafe extern "C" fn measure_free(measure: *mut measure) {
    release("measure_free", measure);
}

/// Returns a measure as long as both.
pub unsafe extern "C" fn measure_sum(
    first: *const measure,
    second: *const measure,
) -> *mut measure {
    // SAFETY: two valid measures.
    unsafe { measure_new((*first).length + (*second).length) }
}

/// Makes the first as long as both.
pub unsafe extern "C" fn measure_extend(first: *mut measure, second: *const measure) {
    // SAFETY: two valid measures.
    unsafe { (*first).length += (*second).length }
}

/// Makes it so many times as long.
pub unsafe extern "C" fn measure_scale(measure: *mut measure, times: c_int) {
    // SAFETY: a valid measure.
    unsafe { (*measure).length *= times }
}

/// Returns a negative number, 0 or a positive number, as `strcmp` does.
pub unsafe extern "C" fn measure_compare(first: *const measure, second: *const measure) -> c_int {
    // SAFETY: two valid measures.
    unsafe { (*first).length - (*second).length }
}

/// Returns the number of marks, which is the length. Beyond `SSIZE_MAX` if that is negative.
pub unsafe extern "C" fn measure_marks(measure: *const measure) -> usize {
    // SAFETY: a valid measure.
    unsafe { (*measure).length as usize }
}

/// Returns whether there is a mark of this number.
pub unsafe extern "C" fn measure_has_mark(measure: *const measure, mark: c_int) -> bool {
    // SAFETY: a valid measure.
    unsafe { (0..(*measure).length).contains(&mark) }
}

/// Stores the place of a mark. Returns -1 if there is no such mark.
pub unsafe extern "C" fn measure_mark(
    measure: *const measure,
    mark: c_int,
    place: *mut c_int,
) -> c_int {
    // SAFETY: a valid measure, and a place to write to.
    unsafe {
        if !measure_has_mark(measure, mark) {
            return -1;
        }
        place.write(mark * 10);
        0
    }
}

/// Returns a word for the length.
pub unsafe extern "C" fn measure_size(measure: *const measure) -> *const c_char {
    // SAFETY: a valid measure.
    match unsafe { (*measure).length } {
        0 => c"nothing".as_ptr(),
        1..10 => c"short".as_ptr(),
        _ => c"long".as_ptr(),
    }
}

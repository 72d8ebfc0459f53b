//! Tallies: structs in memory of the caller.

use std::ffi::c_int;
use std::ptr;

use super::control::{acquire, fails, release};

/// A struct in memory of the caller, which does not move.
#[repr(C)]
pub struct tally {
    counted: *mut c_int,
    here: *const tally,
}

/// Initializes zeroed memory; -1 for a negative number.
pub unsafe extern "C" fn tally_init(tally: *mut tally, start: c_int) -> c_int {
    // SAFETY: as above, with memory for a tally.
    unsafe {
        assert!((*tally).counted.is_null(), "zeros at first");
        if start < 0 || fails(ptr::null()) {
            return -1;
        }
        (*tally).counted = acquire("tally_init", start);
        (*tally).here = tally;
    }
    0
}

pub unsafe extern "C" fn tally_add(tally: *mut tally, n: c_int) -> c_int {
    // SAFETY: a valid tally.
    unsafe {
        assert!(ptr::eq((*tally).here, tally), "it was not moved");
        *(*tally).counted += n;
        *(*tally).counted
    }
}

pub unsafe extern "C" fn tally_clear(tally: *mut tally) {
    // SAFETY: a valid tally.
    unsafe {
        assert!(ptr::eq((*tally).here, tally), "it was not moved");
        release("tally_clear", (*tally).counted);
    }
}

//! An integer handle of an unsigned type needs `invalid`: the type has no -1.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_uint;
    pub unsafe extern "C" fn slot_free(_: c_uint) {}
}

#[handle(integer = std::ffi::c_uint, release = ffi::slot_free)]
pub struct Slot;

fn main() {}

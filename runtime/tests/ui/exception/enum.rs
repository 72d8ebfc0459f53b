//! An exception is a struct.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[exception]
pub enum MyError {
    One,
}

fn main() {}

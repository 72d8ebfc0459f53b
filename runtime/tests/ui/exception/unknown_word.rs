//! `#[exception]` accepts only the listed words.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[exception(base = ValueError)]
pub struct MyError {
    pub message: String,
}

fn main() {}

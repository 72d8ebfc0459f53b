//! An exception has a field `message`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[exception]
pub struct MyError {
    pub code: i32,
}

fn main() {}

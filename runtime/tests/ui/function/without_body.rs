//! A `#[function]` has a body.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[function]
fn size() -> i32;

fn main() {}

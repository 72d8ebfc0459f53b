//! A `#[function]` has no receiver.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[function]
fn size(&self) -> i32 {
    1
}

fn main() {}

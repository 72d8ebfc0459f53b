//! The result of a `#[function]` has a conversion to Python.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[function]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn main() {}

//! A flag such as `callback_only` takes no value.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, callback_only = true)]
pub struct Other;

fn main() {}

//! `#[field]` names a field, not an expression.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[field(size())]
    fn size(&self) -> i32;
}

fn main() {}

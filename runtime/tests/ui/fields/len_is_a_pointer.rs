//! `len` of a field names an integer field.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub items: *mut i32,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = items)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}

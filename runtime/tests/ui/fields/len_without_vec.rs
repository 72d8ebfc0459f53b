//! `len` of a field requires a `Vec`.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub items: *mut i32,
        pub count: i32,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(items, len = count)]
    fn items(&self) -> i32;
}

fn main() {}

//! `len` is for reading a field.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub items: i32,
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
    fn set_items(&mut self, items: i32);
}

fn main() {}

//! A `Vec` is read from a pointer field.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
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
    #[field(count, len = count)]
    fn items(&self) -> Vec<i32>;
}

fn main() {}

//! The elements of a `Vec` have a type that the field's elements convert to.

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
    #[field(items, len = count, utf8 = lossy)]
    fn items(&self) -> Vec<String>;
}

fn main() {}

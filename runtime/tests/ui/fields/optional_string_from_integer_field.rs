//! An `Option<String>` is not read from an integer field.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub size: i32,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, utf8 = lossy)]
    fn size(&self) -> Option<String>;
}

fn main() {}

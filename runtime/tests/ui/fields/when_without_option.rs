//! `when` requires an `Option`.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub size: i32,
        pub tag: i32,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(size, when(tag, 1))]
    fn size(&self) -> i32;
}

fn main() {}

//! A setter takes `&mut self`.

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
    #[field(size)]
    fn set_size(&self, size: i32);
}

fn main() {}

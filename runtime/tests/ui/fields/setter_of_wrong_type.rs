//! The value of a setter has the type of the field.

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
    fn set_size(&mut self, size: i64);
}

fn main() {}

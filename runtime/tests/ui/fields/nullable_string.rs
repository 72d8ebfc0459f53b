//! A `String` field that can be NULL requires an `Option`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Box {
        pub name: *const c_char,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(name, utf8 = lossy)]
    fn name(&self) -> String;
}

fn main() {}

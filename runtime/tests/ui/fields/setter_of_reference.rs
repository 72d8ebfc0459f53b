//! A setter does not store a reference in the C struct.

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
    #[field(name)]
    fn set_name(&mut self, name: &CStr);
}

fn main() {}

//! A handle in a field is returned as `Borrowed`.

use leakproof::prelude::*;

mod ffi {
    pub struct Box {
        pub next: *mut Box,
    }
    pub unsafe extern "C" fn box_free(_: *mut Box) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(unsafe, rust_only)]
impl Box {
    #[field(next)]
    fn next(&self) -> Option<Owned<Box>>;
}

fn main() {}

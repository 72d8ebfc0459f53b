//! Text that may contain NUL requires a `Result`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn rename(_: *mut Thing, _: *const c_char) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::rename)]
    fn rename(&self, name: &str) -> i32;
}

fn main() {}

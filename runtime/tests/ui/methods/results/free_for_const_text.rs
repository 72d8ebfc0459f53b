//! `free` requires a pointer that is not `const`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn name(_: *mut Thing) -> *const c_char {
        unimplemented!()
    }
    pub unsafe extern "C" fn text_free(_: *mut std::ffi::c_void) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::name, free = ffi::text_free, utf8 = lossy)]
    fn name(&self) -> Option<String>;
}

fn main() {}

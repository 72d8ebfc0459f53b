//! `utf8` is `lossy`, and requires a `String`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Thing {
        pub name: *const c_char,
        pub size: i32,
    }
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn name(_: *mut Thing) -> *const c_char {
        unimplemented!()
    }
    pub unsafe extern "C" fn size(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size, utf8 = lossy)]
    fn size(&self) -> i32;

    #[calls(ffi::name, utf8 = strict)]
    fn name(&self) -> Result<Option<String>>;
}

fn main() {}

//! A `String` from C requires a `Result` or `utf8 = lossy`.

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
    #[calls(ffi::name)]
    fn name(&self) -> Option<String>;

    #[field(name)]
    fn name_field(&self) -> Option<String>;
}

fn main() {}

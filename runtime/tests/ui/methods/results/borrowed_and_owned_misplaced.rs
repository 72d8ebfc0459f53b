//! `borrowed` and `owned` require a result with memory, and exclude `free`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_char, c_int, c_void};

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_name(_: *mut Thing) -> *mut c_char {
        unimplemented!()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> c_int {
        unimplemented!()
    }
    pub unsafe extern "C" fn text_free(_: *mut c_void) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_name, borrowed, free = ffi::text_free)]
    fn name(&self) -> Option<CString>;

    #[calls(ffi::thing_size, borrowed)]
    fn size(&self) -> i32;

    #[calls(ffi::thing_size, owned)]
    fn length(&self) -> i32;
}

fn main() {}

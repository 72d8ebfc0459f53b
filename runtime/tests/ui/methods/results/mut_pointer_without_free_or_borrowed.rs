//! Memory behind a pointer that is not `const` requires `free` or `borrowed`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_char, c_int, c_void};

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_name(_: *mut Thing) -> *mut c_char {
        unimplemented!()
    }
    pub unsafe extern "C" fn thing_title(_: *mut Thing, _: *mut *mut c_char) -> c_int {
        unimplemented!()
    }
    pub unsafe extern "C" fn thing_names(_: *mut Thing) -> *mut *const c_char {
        unimplemented!()
    }
    pub unsafe extern "C" fn thing_data(_: *mut Thing, _: *mut usize) -> *mut c_void {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_name)]
    fn name(&self) -> Option<CString>;

    #[calls(ffi::thing_title, args = (self, out), fails = nonzero)]
    fn title(&self) -> Result<CString>;

    #[calls(ffi::thing_names, until = null)]
    fn names(&self) -> Vec<CString>;

    #[calls(ffi::thing_data, args = (self, len))]
    fn data(&self) -> Option<Bytes>;

    #[calls(ffi::thing_data, args = (self, len))]
    fn data_without_a_copy(&self) -> Option<&[u8]>;

    #[calls(ffi::thing_name, borrowed)]
    fn name_of_c(&self) -> Option<CString>;
}

fn main() {}

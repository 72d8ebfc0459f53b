//! A reference-counted handle lends no borrowed results: another owner could release them.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_ref(this: *mut Thing) -> *mut Thing {
        this
    }
    pub unsafe extern "C" fn thing_part(_: *mut Thing) -> *mut Part {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
        0
    }
    pub unsafe extern "C" fn thing_count(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, independent, lends)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_ref)]
    fn other(&self) -> Option<Borrowed<Thing>>;

    #[calls(ffi::thing_part)]
    fn part(&self) -> Option<Borrowed<Part>>;

    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data(&self) -> Option<&[u8]>;
}

fn main() {}

//! A method without a receiver lends nothing of a reference-counted parameter, and no memory of a parameter without
//! `lends`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Shared;
    pub struct Part;
    pub struct Plain;
    pub unsafe extern "C" fn shared_ref(shared: *mut Shared) -> *mut Shared {
        shared
    }
    pub unsafe extern "C" fn shared_unref(_: *mut Shared) {}
    pub unsafe extern "C" fn shared_part(_: *mut Shared) -> *mut Part {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
    pub unsafe extern "C" fn shared_data(_: *mut Shared) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn shared_size(_: *mut Shared) -> usize {
        0
    }
    pub unsafe extern "C" fn plain_free(_: *mut Plain) {}
    pub unsafe extern "C" fn plain_data(_: *mut Plain) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn plain_size(_: *mut Plain) -> usize {
        0
    }
}

#[handle(raw = ffi::Shared, release = ffi::shared_unref, retain = ffi::shared_ref, independent, lends)]
pub struct Shared;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[handle(raw = ffi::Plain, release = ffi::plain_free)]
pub struct Plain;

#[handle(raw = ffi::Plain, release = ffi::plain_free, lends)]
pub struct Lender;

#[methods(unsafe, rust_only)]
impl Lender {
    #[calls(ffi::shared_part)]
    fn part_of(shared: &Shared) -> Option<Borrowed<Part>>;

    #[calls(ffi::shared_data, len = ffi::shared_size)]
    fn data_of(shared: &Shared) -> Option<&[u8]>;

    #[calls(ffi::plain_data, len = ffi::plain_size)]
    fn data_of_plain(plain: &Plain) -> Option<&[u8]>;
}

fn main() {}

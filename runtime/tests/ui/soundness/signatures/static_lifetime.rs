//! A result does not have the lifetime `'static`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Part;
    pub unsafe extern "C" fn first(_: *mut Thing) -> *mut Part {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::first)]
    fn first(&self) -> Option<Borrowed<'static, Part>>;
}

fn main() {}

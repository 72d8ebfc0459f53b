//! A child is made by a method with a receiver.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Child;
    pub unsafe extern "C" fn child_free(_: *mut Child) {
        unimplemented!()
    }
    pub unsafe extern "C" fn child_new(_: *mut Thing) -> *mut Child {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::child_new, fails = null)]
    fn child(thing: &Thing) -> Result<Owned<Child>>;
}

fn main() {}

//! A child is made by a method of its parent.

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
    pub struct Pool;
    pub unsafe extern "C" fn pool_free(_: *mut Pool) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::child_new, args = (thing), fails = null)]
    fn child(&self, thing: &Thing) -> Result<Owned<Child>>;
}

fn main() {}

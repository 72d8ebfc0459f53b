//! A `return` in an expression leaves the method before C is called: its value does not take the place of what C
//! returns.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;

    pub unsafe extern "C" fn thing_new(_: i32) -> *mut Thing {
        std::ptr::null_mut()
    }

    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

fn known(count: i32) -> Option<i32> {
    (count > 0).then_some(count)
}

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_new, args = ({ if size > 9 { return Some(std::ptr::dangling_mut()) } size }), fails = null)]
    fn forged(size: i32) -> Result<Owned<Thing>>;

    #[calls(ffi::thing_new, args = (known(size)?), fails = null)]
    fn tried(size: i32) -> Result<Owned<Thing>>;
}

fn main() {}

//! `#[function]` excludes `#[calls]`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn size() -> i32 {
        unimplemented!()
    }
}

#[function]
#[calls(ffi::size)]
fn size() -> i32;

fn main() {}

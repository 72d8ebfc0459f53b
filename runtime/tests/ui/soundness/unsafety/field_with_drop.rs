//! A field that a call sets has no `Drop`: the former value's would run while the call has its handles.

use leakproof::prelude::*;

#[allow(non_camel_case_types)]
mod ffi {
    pub struct kite {
        pub string: super::Knot,
    }

    pub unsafe extern "C" fn kite_free(_: *mut kite) {}
    pub unsafe extern "C" fn kite_fly(_: *mut kite) {}
}

pub struct Knot(u32);

impl Drop for Knot {
    fn drop(&mut self) {
        println!("{}", self.0);
    }
}

#[handle(raw = ffi::kite, release = ffi::kite_free)]
pub struct Kite;

#[methods(unsafe, rust_only)]
impl Kite {
    #[calls(ffi::kite_fly, args = (self), fields(string = Knot(length)))]
    fn fly(&mut self, length: u32);
}

fn main() {}

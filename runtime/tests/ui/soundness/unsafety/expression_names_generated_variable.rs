//! No expression sees a variable of the expansion: neither what C gets nor the handle that is being released.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

pub unsafe extern "C" fn other_end(_: *mut ffi::Thing, _: *mut ffi::Other) -> i32 {
    unimplemented!()
}

pub unsafe extern "C" fn thing_end(_: *mut ffi::Thing) -> i32 {
    unimplemented!()
}

#[handle(raw = ffi::Thing, release(thing_end, fails = when(|_| { drop(__released(releasing)); raw.is_null() })))]
pub struct Thing;

#[handle(
    raw = ffi::Other,
    release(other_end, args = (parent, self), fails = when(|_| { this.size(); parent.size(); false })),
    parent = Thing
)]
pub struct Other;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::rename, args = (self, { drop(__name_text); name }), fails = nonzero)]
    fn rename(&self, name: &str) -> Result<()>;

    #[calls(ffi::write, args = (self, data.ptr, { drop(__data_memory); __data_length }), fails = nonzero)]
    fn write(&self, data: &[u8]) -> Result<()>;

    #[calls(ffi::add, args = (self, { __site; __result; n }))]
    fn add(&self, n: i32) -> i32;
}

fn main() {}

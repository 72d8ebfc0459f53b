//! A slice of C memory requires a handle with `lends`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

leakproof::byte_slice!(unsafe ffi::View { ptr: start, len: size });

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data(&self) -> Option<&[u8]>;

    #[calls(ffi::thing_view, args = (self, out, out))]
    fn view(&self) -> (&[u8], i32);

    #[calls(ffi::thing_views, args = (self, len))]
    fn views(&self) -> Vec<&[u8]>;
}

fn main() {}

//! `borrowed` and `owned` require a result with memory, and exclude `free`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::name_mut, borrowed, free = ffi::text_free)]
    fn name(&self) -> Option<CString>;

    #[calls(ffi::size, borrowed)]
    fn size(&self) -> i32;

    #[calls(ffi::size, owned)]
    fn length(&self) -> i32;
}

fn main() {}

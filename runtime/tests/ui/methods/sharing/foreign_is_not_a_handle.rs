//! `#[foreign]` names parameters that are handles.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[foreign(number, other)]
    #[calls(ffi::thing_meet)]
    fn meet(&self, number: i32);
}

fn main() {}

//! `retain` of a method requires an owned handle as its result.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, independent)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_count, retain)]
    fn count(&self) -> i32;
}

fn main() {}

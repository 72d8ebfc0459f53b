//! A body does not return the owner of a tree that it took: Python has objects of the parts.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, tree)]
pub struct Thing;

#[methods]
impl Thing {
    fn pass(this: Owned<Self>) -> Owned<Self> {
        this
    }

    #[rust_only]
    fn pass_in_rust(this: Owned<Self>) -> Owned<Self> {
        this
    }
}

fn main() {}

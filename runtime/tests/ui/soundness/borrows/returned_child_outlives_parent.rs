//! A handle that a body returns lives no longer than its parent, whatever the receiver is.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Other, release = ffi::other_free, parent = Thing)]
pub struct Other;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::other, fails = null)]
    fn other(&self) -> Result<Owned<Other>>;

    fn pass(&self, other: Owned<Other>) -> Owned<Other> {
        other
    }
}

fn outlives<'a>(thing: &'a Thing, parent: Owned<'a, Thing>) -> Owned<'a, Other> {
    thing.pass(parent.other().unwrap())
}

fn main() {}

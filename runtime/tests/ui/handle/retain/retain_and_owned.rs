//! `retain` makes the caller an owner, who `owned` says is one already.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, release = ffi::thing_free, independent)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_new, retain, owned)]
    fn new() -> Option<Owned<Thing>>;
}

fn main() {}

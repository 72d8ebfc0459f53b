//! An `Owned` result requires a pointer that is not `const`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::default_thing)]
    fn default() -> Option<Owned<Thing>>;

    #[calls(ffi::default_thing, owned)]
    fn made() -> Option<Owned<Thing>>;
}

fn main() {}

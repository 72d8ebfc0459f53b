//! An object in `out` belongs to the caller already.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, release = ffi::thing_free, independent)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_open, args = (0, out), retain, fails = nonzero, on_failure = null)]
    fn open() -> Result<Owned<Thing>>;
}

fn main() {}

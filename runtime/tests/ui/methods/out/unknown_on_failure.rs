//! `on_failure` of a call is `owned`, `null` or `undefined`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_open, args = (n, out), fails = nonzero, on_failure = freed)]
    fn open(n: i32) -> Result<Owned<Thing>>;
}

fn main() {}

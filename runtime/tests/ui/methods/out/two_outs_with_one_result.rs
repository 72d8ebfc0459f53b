//! Each `out` in `args` is one value of the result.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_pair, args = (out, out), fails = nonzero, on_failure = null)]
    fn pair() -> Result<Owned<Thing>>;
}

fn main() {}

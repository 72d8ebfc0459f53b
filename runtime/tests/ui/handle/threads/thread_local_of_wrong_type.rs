//! The value in `thread_locals` has the type of the C variable.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, thread_locals(ffi::strict = true))]
struct Thing;

fn main() {}

//! A value follows each `=`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = , release = ffi::thing_free)]
pub struct Other;

fn main() {}

//! The type in `errors` implements `ErrorSource`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = String)]
pub struct Other;

fn main() {}

//! `warn_unclosed` requires `release`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing, warn_unclosed)]
pub struct Other;

fn main() {}

//! `#[handle]` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, releases = ffi::thing_free, release = ffi::thing_free)]
pub struct Other;

fn main() {}

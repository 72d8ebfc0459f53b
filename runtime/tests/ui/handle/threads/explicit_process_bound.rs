//! `process_bound` is the default and is not written.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, process_bound)]
pub struct Thing;

fn main() {}

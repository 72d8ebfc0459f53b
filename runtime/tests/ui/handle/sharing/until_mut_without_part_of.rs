//! `until_mut` requires `part_of`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, until_mut)]
pub struct Thing;

fn main() {}

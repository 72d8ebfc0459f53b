//! `borrowed_with` requires `retain`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, borrowed_with = Self)]
pub struct Thing;

fn main() {}

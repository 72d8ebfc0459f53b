//! `borrowed_with` and `independent` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, borrowed_with = Self, independent)]
pub struct Thing;

fn main() {}

//! `mut_parent` and `reads_parent` require `parent`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Child, release = ffi::child_free, mut_parent)]
pub struct Child;

#[handle(raw = ffi::Thing, release = ffi::thing_free, reads_parent)]
pub struct Thing;

fn main() {}

//! `mut_parent` excludes `reads_parent`, and `parent = &mut …` excludes both.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing, mut_parent, reads_parent)]
pub struct Child;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = &mut Thing, mut_parent)]
pub struct Other;

fn main() {}

//! The arguments of a release have the types that the C function takes.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (self, parent)), parent = Bell)]
pub struct Rope;

fn main() {}

//! A release is passed only `parent` and `self`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (owner, self)), parent = Bell)]
pub struct Rope;

fn main() {}

//! A release that is passed `parent` requires a handle with a parent.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (parent, self)))]
pub struct Rope;

fn main() {}

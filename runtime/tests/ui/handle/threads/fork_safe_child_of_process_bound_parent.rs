//! A `fork_safe` child requires a `fork_safe` parent.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free, parent = Thing, fork_safe)]
pub struct Part;

fn main() {}

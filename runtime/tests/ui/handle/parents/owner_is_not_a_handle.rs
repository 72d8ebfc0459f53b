//! The owner of a part is a handle type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, part_of = String)]
pub struct Other;

fn main() {}

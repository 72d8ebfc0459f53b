//! `owner_field` requires `part_of`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, owner_field = next)]
pub struct Other;

fn main() {}

//! `owner_field` names a field, not an expression.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing, owner_field = 1 + 1)]
pub struct Other;

fn main() {}

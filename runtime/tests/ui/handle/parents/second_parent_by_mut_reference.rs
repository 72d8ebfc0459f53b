//! Only the first parent can be borrowed by `&mut`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Other;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = (Thing, &mut Other))]
pub struct Child;

fn main() {}

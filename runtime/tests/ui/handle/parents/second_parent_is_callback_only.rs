//! C ends what it lends to a callback when the callback returns, whatever lives in it.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, callback_only)]
pub struct Lent;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = (Thing, Lent))]
pub struct Child;

fn main() {}

//! A reference-counted handle has no parent.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent, release = ffi::thing_free, parent = Thing)]
struct Child;


fn main() {}

//! `thread_locals` lists variables with their values.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, thread_locals(ffi::strict))]
struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, thread_locals = ffi::strict)]
struct Other;

fn main() {}

//! `subclass` is for handles with a constructor: C lends a `callback_only` handle.
use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, callback_only, subclass)]
pub struct Thing;

fn main() {}

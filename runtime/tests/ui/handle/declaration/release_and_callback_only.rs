//! `release` and `callback_only` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, callback_only, release = ffi::thing_free)]
pub struct Other;

fn main() {}

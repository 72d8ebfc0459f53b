//! `release` names a function that exists.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_destroy)]
pub struct Other;

fn main() {}

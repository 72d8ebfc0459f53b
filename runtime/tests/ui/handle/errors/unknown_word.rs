//! `errors(…)` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors(Wrong, slot = report))]
pub struct Other;

fn main() {}

//! A release function with a second argument needs `args = (…)`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free_with)]
pub struct Other;

fn main() {}

//! A handle has one owner: `release`, `part_of` or `callback_only`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing)]
pub struct Other;

fn main() {}

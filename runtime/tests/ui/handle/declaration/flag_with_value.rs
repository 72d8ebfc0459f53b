//! A flag such as `callback_only` takes no value.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, callback_only = true)]
pub struct Other;

fn main() {}

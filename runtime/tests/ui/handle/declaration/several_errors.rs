//! Every mistake in one `#[handle]` is reported in one compilation.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(part_of = Thing, callback_only, parent = Thing, raws = ffi::Thing)]
pub struct Other(i32);

fn main() {}

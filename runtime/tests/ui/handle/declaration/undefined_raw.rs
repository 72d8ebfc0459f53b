//! `raw` names a type that exists.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thong, release = ffi::thing_free)]
pub struct Other;

fn main() {}

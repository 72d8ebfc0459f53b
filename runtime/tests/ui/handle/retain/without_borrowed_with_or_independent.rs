//! `retain` requires `borrowed_with` or `independent`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref)]
pub struct Thing;

fn main() {}

//! A handle is declared as a struct, not as an enum.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub enum Other {}

fn main() {}

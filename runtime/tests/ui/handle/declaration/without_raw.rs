//! `#[handle]` needs the C type of the handle.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(release = ffi::thing_free)]
pub struct Other;

fn main() {}

//! `interrupt` of a call requires a `Result`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring, detach, interrupt = Bell::stop)]
    fn ring(&self) -> i32;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

//! `interrupt` excludes reference-counted parameters.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[handle(raw = ffi::Bell, retain = ffi::bell_stop, release = ffi::bell_free, independent)]
pub struct Chime;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_meet, fails = nonzero, detach, interrupt = Bell::stop)]
    fn tie(&self, chime: &Chime) -> Result<()>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

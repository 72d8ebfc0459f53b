//! `interrupt` excludes a handle with `lock`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(
    raw = ffi::Bell,
    release = ffi::bell_free,
    lock(of = ffi::bell_mutex, enter = ffi::bell_lock, leave = ffi::bell_lock)
)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring, fails = nonzero, detach, interrupt = Bell::stop)]
    fn ring(&self) -> Result<()>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

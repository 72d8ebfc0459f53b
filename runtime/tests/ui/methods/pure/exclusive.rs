//! A call that only reads takes its handles by `&`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring, pure)]
    fn ring(&mut self) -> i32;

    #[calls(ffi::bell_meet, pure)]
    fn meet(&self, other: &mut Bell) -> i32;

    #[calls(ffi::bell_take, pure)]
    fn take(&self, other: Owned<Bell>);
}

fn main() {}

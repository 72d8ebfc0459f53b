//! A handle with `attachments` is not consumed.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_take)]
    fn take(&mut self, other: Owned<Bell>);
}

fn main() {}

//! A call that only reads makes no handle.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_wrap, pure)]
    fn inner(&self) -> Option<Owned<Bell>>;
}

fn main() {}

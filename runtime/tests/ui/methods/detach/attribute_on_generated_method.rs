//! `#[detach]` is for methods with a body.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[detach]
    #[calls(ffi::bell_rope)]
    fn rope(&self);
}

fn main() {}

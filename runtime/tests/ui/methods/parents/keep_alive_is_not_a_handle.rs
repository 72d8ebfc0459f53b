//! `keep_alive` names parameters that are handles.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_rope, keep_alive = (number), fails = null)]
    fn rope(&self, number: i32) -> Result<Owned<Bell>>;
}

fn main() {}

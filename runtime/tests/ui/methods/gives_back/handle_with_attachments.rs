//! `gives_back` is not for handles with `attachments`, which C is never given.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_wrap, gives_back)]
    fn inner(&self) -> Option<Owned<Bell>>;
}

fn main() {}

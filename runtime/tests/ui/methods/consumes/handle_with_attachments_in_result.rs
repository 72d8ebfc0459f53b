//! A handle with `attachments` is not consumed by a method that ends it, where C may keep it in the result.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Chime;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_wrap, fails = null, consumes = always)]
    fn wrap(this: Owned<Self>) -> Result<Owned<Chime>>;
}

fn main() {}

//! `interned` is for text that Python gets.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe)]
impl Bell {
    #[field(most, interned)]
    fn most(&self) -> i32;

    #[rust_only]
    #[field(name, interned)]
    fn name(&self) -> Result<Option<String>>;
}

fn main() {}

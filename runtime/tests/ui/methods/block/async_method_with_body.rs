//! A method with a body is not `async`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(rust_only)]
impl Thing {
    async fn size(&self) -> i32 {
        1
    }
}

fn main() {}

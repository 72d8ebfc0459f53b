//! Every mistake in one `impl` block is reported in one compilation.

use leakproof::prelude::*;

#[path = "../../ffi/boxes.rs"]
mod ffi;

#[handle(raw = ffi::Box, release = ffi::box_free)]
pub struct Box;

#[methods(rust_only)]
impl Box {
    #[calls(ffi::box_free, fails = zero)]
    fn one(&self) -> Result<i32>;

    #[calls(ffi::box_free, args = (self, nothing))]
    fn two(&self, number: i32);

    #[field(size, len = size)]
    fn three() -> i32;

    fn four(&self);

    async fn five(self) {}
}

fn main() {}

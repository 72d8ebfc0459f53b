//! A call that changes the owner of a tree, and has another owner, returns a `Result`.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[methods(unsafe)]
impl Outline {
    #[calls(ffi::outline_merge)]
    fn merge(&mut self, other: &Outline) -> i32;
}

fn main() {}

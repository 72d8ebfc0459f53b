//! Where C lends the child, nothing borrows the parent: a part of the parent could be released meanwhile.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Outline, release = ffi::outline_free, parent = Outline)]
pub struct Child;

#[methods]
impl Child {
    fn outline(&self) -> Result<i32> {
        let _: &Outline = leakproof::parent_of(self)?;
        Ok(0)
    }
}

fn main() {}

//! Where C lends the child, nothing borrows the parent: what the parent lends could be freed meanwhile.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing, reads_parent)]
pub struct Child;

#[methods]
impl Child {
    fn thing(&self) -> Result<i32> {
        let _: &Thing = leakproof::parent_of(self)?;
        Ok(0)
    }
}

fn main() {}

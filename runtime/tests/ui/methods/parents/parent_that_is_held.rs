//! Nothing but the child uses a parent that the child borrows by `&mut`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = &mut Thing)]
pub struct Child;

#[methods]
impl Child {
    fn thing(&self) -> Result<i32> {
        let _: &Thing = leakproof::parent_of(self)?;
        Ok(0)
    }
}

fn main() {}

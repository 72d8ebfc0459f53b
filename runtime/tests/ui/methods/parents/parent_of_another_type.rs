//! A handle knows the parents that its annotation names.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Other;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = (Thing, Thing))]
pub struct Child;

fn parents(child: &Child) -> Result<()> {
    let _: &Other = leakproof::parent_of(child)?;
    let _: &Thing = leakproof::parent_of(child)?;
    Ok(())
}

fn main() {
    let _ = parents;
}

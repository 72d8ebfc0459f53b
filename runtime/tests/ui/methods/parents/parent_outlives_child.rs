//! The parent that a child knows is borrowed from the child.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

fn use_after_release(child: Owned<'_, Child>) -> Result<()> {
    let thing: &Thing = leakproof::parent_of(&*child)?;
    drop(child);
    let _ = format!("{thing:?}");
    Ok(())
}

fn main() {
    let _ = use_after_release;
}

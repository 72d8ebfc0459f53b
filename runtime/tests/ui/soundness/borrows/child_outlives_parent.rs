//! A child does not outlive its parent.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_new, fails = null)]
    fn new() -> Result<Owned<Thing>>;

    #[calls(ffi::child_new, fails = null)]
    fn child(&self) -> Result<Owned<Child>>;

    #[calls(ffi::first)]
    fn first(&self) -> Option<Borrowed<Part>>;

    #[calls(ffi::thing_change)]
    fn change(&mut self);
}

fn escape() -> Result<Owned<'static, Child>> {
    let thing = Thing::new()?;
    thing.child()
}

fn main() -> Result<()> {
    let thing = Thing::new()?;
    let child = thing.child()?;
    drop(thing);
    drop(child);
    escape().map(drop)
}

//! An expression sees a handle that C consumes as `&T`, and `fails` does not see it at all: C has it by then.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Other, release = ffi::other_free)]
pub struct Other;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::join, args = (self, { drop(other.take()); other }), consumes = always, fails = nonzero)]
    fn take(&self, other: Owned<Other>) -> Result<()>;

    #[calls(ffi::join, consumes = always, fails = when(|_| other.size() > 0))]
    fn ask(&self, other: Owned<Other>) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Other {
    #[calls(ffi::other_size)]
    fn size(&self) -> i32;
}

fn main() {}

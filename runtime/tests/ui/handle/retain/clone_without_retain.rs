//! `clone` and `retain` exist only for handles with `retain`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

fn two(thing: &Owned<'static, Thing>) -> Owned<'static, Thing> {
    thing.clone()
}
fn more(thing: Borrowed<'_, Thing>) -> Owned<'static, Thing> {
    thing.retain()
}


fn main() {}

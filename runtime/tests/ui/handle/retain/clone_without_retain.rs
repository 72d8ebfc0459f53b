//! `clone` and `retain` exist only for handles with `retain`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

fn two(thing: &Owned<'static, Thing>) -> Owned<'static, Thing> {
    thing.clone()
}
fn more(thing: Borrowed<'_, Thing>) -> Owned<'static, Thing> {
    thing.retain()
}


fn main() {}

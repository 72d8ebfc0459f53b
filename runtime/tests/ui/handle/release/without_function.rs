//! The C function stands first in `release(…)`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
}

#[handle(raw = ffi::Thing, release(fails = nonzero))]
struct Thing;


fn main() {}

//! `IntoPython` is derived for enums.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[derive(IntoPython)]
pub struct Pair {
    pub left: i32,
}

fn main() {}

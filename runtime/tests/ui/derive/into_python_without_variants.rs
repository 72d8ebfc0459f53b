//! An enum with a derived `IntoPython` has variants.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[derive(IntoPython)]
pub enum Never {}

fn main() {}

//! Every variant of a derived `IntoPython` holds one value.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[derive(IntoPython)]
pub enum Either {
    Number(i32),
    Nothing,
}

fn main() {}

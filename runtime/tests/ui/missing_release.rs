use leakproof::prelude::*;

mod ffi {
    pub struct thing;
}

#[handle(raw = ffi::thing)]
pub struct Thing;

fn main() {}

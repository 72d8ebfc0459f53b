//! `caller_allocates` requires `release`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
}

#[handle(caller_allocates = ffi::Thing)]
struct Thing;


fn main() {}

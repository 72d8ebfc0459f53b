//! An argument behind `...` has the C type that the function reads there.

use std::ffi::{c_char, c_int};

use leakproof::prelude::*;

#[path = "../../ffi/options.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_set, args = (self, 1, ..., name, 0), fails = nonzero)]
    fn set(&self, name: &CStr) -> Result<()>;

    #[calls(ffi::thing_set, args = (self, 1, ..., out), fails = nonzero)]
    fn get(&self) -> Result<i32>;

    #[calls(ffi::thing_set, args = (self, 1, ..., nmae as *const c_char), fails = nonzero)]
    fn misspelled(&self, name: &CStr) -> Result<()>;

    #[calls(ffi::thing_set, args = (self, ..., 1 as c_int, ..., 2 as c_int), fails = nonzero)]
    fn twice(&self) -> Result<()>;
}

fn main() {}

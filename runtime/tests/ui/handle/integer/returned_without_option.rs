//! A method that returns an integer handle can return the invalid value.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/file.rs"]
mod ffi;

#[handle(integer = c_int, release = ffi::close)]
pub struct File;

#[methods(unsafe, rust_only)]
impl File {
    #[calls(ffi::open)]
    fn open() -> Owned<File>;
}

fn main() {}

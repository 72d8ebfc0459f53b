//! An integer handle that can be the invalid one requires an `Option` or `fails`.

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

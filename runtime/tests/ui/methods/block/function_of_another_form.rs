//! A method of a handle is not `const`, `unsafe` or `extern`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe)]
impl Part {
    #[calls(ffi::part_size)]
    const fn size(&self) -> i32;

    unsafe fn unchecked(&self) -> i32 {
        0
    }

    extern "C" fn foreign(&self) -> i32 {
        0
    }
}

fn main() {}

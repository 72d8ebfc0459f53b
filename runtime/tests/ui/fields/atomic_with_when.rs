//! `atomic` and `when` exclude each other.

use leakproof::prelude::*;

#[path = "../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[field(most, when(most, 1), atomic)]
    fn most(&self) -> Option<i32>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

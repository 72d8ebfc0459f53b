//! `atomic` requires an integer field.

use leakproof::prelude::*;

#[path = "../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[field(weight, atomic)]
    fn weigh(&self, weight: f64);

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

//! `attach` requires a handle with `attachments`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

fn add(bell: &Bell) {
    attach(bell, 7);
}

fn main() {}

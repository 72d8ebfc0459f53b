//! `attach` takes the handle, and not its guard.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

fn add(bell: &Owned<'_, Bell>) {
    attach(bell, 7);
}

fn main() {}

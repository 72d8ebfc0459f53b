//! `attachments` requires `release`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, part_of = Bell, attachments)]
pub struct Part;

fn main() {}

//! `retain` and `thread_bound` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, retain = ffi::bell_free, independent, release = ffi::bell_free, thread_bound)]
pub struct Bell;

fn main() {}

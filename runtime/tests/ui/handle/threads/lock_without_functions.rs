//! `lock` names the lock and the functions that enter and leave it.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lock(of = ffi::mutex, enter = ffi::enter))]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lock = ffi::mutex)]
pub struct Other;

fn main() {}

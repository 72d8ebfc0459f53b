//! The lock of a handle is found from the handle's pointer alone.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(
    raw = ffi::Thing,
    release = ffi::thing_free,
    lock(of = |thing| { let other = 16 as *const *mut ffi::Mutex; *other }, enter = ffi::enter, leave = ffi::enter)
)]
pub struct Closure;

#[handle(
    raw = ffi::Thing,
    release = ffi::thing_free,
    lock(of = ffi::mutex(16 as *mut ffi::Thing), enter = ffi::enter, leave = ffi::enter)
)]
pub struct Forged;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lock(of = *raw, enter = ffi::enter, leave = ffi::enter))]
pub struct Other;

fn main() {}

//! `lock` names the lock and the functions that enter and leave it.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub struct Mutex;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_mutex(_: *mut Thing) -> *mut Mutex {
        unimplemented!()
    }
    pub unsafe extern "C" fn enter(_: *mut Mutex) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, lock(of = ffi::thing_mutex, enter = ffi::enter))]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lock = ffi::thing_mutex)]
pub struct Other;

fn main() {}

//! `interrupt` excludes callbacks.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_char, c_int, c_void};
    pub type RingFn = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    #[repr(C)]
    pub struct Bell {
        pub most: c_int,
        pub weight: f64,
        pub name: *mut c_char,
    }
    pub unsafe extern "C" fn bell_free(_: *mut Bell) {}
    pub unsafe extern "C" fn bell_ring(_: *mut Bell) -> c_int {
        0
    }
    pub unsafe extern "C" fn bell_ring_by(_: *mut Bell, _: RingFn, _: *mut c_void) -> c_int {
        0
    }
    pub unsafe extern "C" fn bell_stop(_: *mut Bell) {}
    pub unsafe extern "C" fn bell_lock(_: *mut c_void) {}
    pub unsafe extern "C" fn bell_count() -> c_int {
        0
    }
}

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[derive(Attachment)]
pub struct Ringer(i32);

#[callbacks(unsafe)]
impl Ringer {
    #[callback(ffi::RingFn, args = (number, data))]
    fn ring(&self, number: i32) -> i32 {
        number + self.0
    }
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring_by, args = (self, ringer.ring, ringer.data), fails = nonzero, detach, interrupt = Bell::stop)]
    fn ring(&self, ringer: &Ringer) -> Result<()>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

//! `#[callback]` names a C function type.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_int, c_void};
    pub type RingFn = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub type DestroyFn = Option<unsafe extern "C" fn(*mut c_void)>;
    pub struct Bell;
    pub struct Rope;
    pub unsafe extern "C" fn bell_free(_: *mut Bell) {}
    pub unsafe extern "C" fn bell_add(_: *mut Bell, _: RingFn, _: *mut c_void, _: DestroyFn) -> c_int {
        0
    }
    pub unsafe extern "C" fn bell_set(_: *mut Bell, _: RingFn, _: *mut c_void) {}
    pub unsafe extern "C" fn bell_rope(_: *mut Bell) -> *mut Rope {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn bell_tie(_: *mut Bell, _: *mut Rope) -> *mut c_int {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn bell_copy(_: *mut Bell, _: *mut Rope) -> *mut Rope {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn bell_take(_: *mut Bell, _: *mut Bell) {}
    pub unsafe extern "C" fn rope_free(_: *mut Bell, _: *mut Rope) {}
    pub unsafe extern "C" fn rope_split(_: *mut Rope) -> *mut Rope {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn untie(_: *mut c_int) {}
}

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(i32, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}

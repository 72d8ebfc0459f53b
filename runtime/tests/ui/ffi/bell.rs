//! A C library with callbacks: a bell that calls its ringers, the ropes of a bell, and knots in a rope.

use std::ffi::{c_char, c_int, c_void};

pub type RingFn = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
pub type DestroyFn = Option<unsafe extern "C" fn(*mut c_void)>;

pub struct Bell {
    pub most: c_int,
    pub weight: f64,
    pub name: *mut c_char,
}
pub struct Rope;

pub unsafe extern "C" fn bell_free(_: *mut Bell) {}
pub unsafe extern "C" fn bell_count() -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn bell_lock(_: *mut c_void) {}
pub unsafe extern "C" fn bell_take(_: *mut Bell, _: *mut Bell) {}
pub unsafe extern "C" fn bell_wrap(_: *mut Bell) -> *mut Bell {
    unimplemented!()
}
pub unsafe extern "C" fn bell_meet(_: *mut Bell, _: *mut Bell) -> c_int {
    unimplemented!()
}

/// Rings until `bell_stop` is called.
pub unsafe extern "C" fn bell_ring(_: *mut Bell) -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn bell_stop(_: *mut Bell) {}

/// Calls a ringer before it returns.
pub unsafe extern "C" fn bell_ring_by(_: *mut Bell, _: RingFn, _: *mut c_void) -> c_int {
    unimplemented!()
}
/// Stores a ringer, in the place of the one before.
pub unsafe extern "C" fn bell_set(_: *mut Bell, _: RingFn, _: *mut c_void) {}
/// Stores one more ringer, until `DestroyFn` is called.
pub unsafe extern "C" fn bell_add(_: *mut Bell, _: RingFn, _: *mut c_void, _: DestroyFn) -> c_int {
    unimplemented!()
}

pub unsafe extern "C" fn bell_rope(_: *mut Bell) -> *mut Rope {
    unimplemented!()
}
pub unsafe extern "C" fn bell_copy(_: *mut Bell, _: *mut Rope) -> *mut Rope {
    unimplemented!()
}
pub unsafe extern "C" fn rope_free(_: *mut Bell, _: *mut Rope) {}
pub unsafe extern "C" fn rope_split(_: *mut Rope) -> *mut Rope {
    unimplemented!()
}

pub unsafe extern "C" fn bell_tie(_: *mut Bell, _: *mut Rope) -> *mut c_int {
    unimplemented!()
}
pub unsafe extern "C" fn untie(_: *mut c_int) {}

pub unsafe extern "C" fn bell_mutex(_: *mut Bell) -> *mut c_void {
    unimplemented!()
}

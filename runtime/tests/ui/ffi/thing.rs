//! An opaque C type with its release function, and functions of every usual signature.

use std::ffi::{c_char, c_int, c_void};

pub struct Thing;
pub struct Other;
pub struct Mutex;

pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
pub unsafe extern "C" fn other_free(_: *mut Other) {}
pub unsafe extern "C" fn thing_free_with(_: *mut Thing, _: i32) {}
pub unsafe extern "C" fn text_free(_: *mut c_void) {}

pub unsafe extern "C" fn size(_: *mut Thing) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn size_i64(_: *mut Thing) -> i64 {
    unimplemented!()
}
pub unsafe extern "C" fn size_u32(_: *mut Thing) -> u32 {
    unimplemented!()
}
pub unsafe extern "C" fn size_f64(_: *mut Thing) -> f64 {
    unimplemented!()
}
pub unsafe extern "C" fn other_size(_: *mut Other) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn count() -> i32 {
    unimplemented!()
}

pub unsafe extern "C" fn work(_: *mut Thing) {}
pub unsafe extern "C" fn add(_: *mut Thing, _: i32) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn join(_: *mut Thing, _: *mut Other) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn rename(_: *mut Thing, _: *const c_char) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn write(_: *mut Thing, _: *const u8, _: i32) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn write_all(_: *mut Thing, _: *const u8) -> i32 {
    unimplemented!()
}

pub unsafe extern "C" fn copy(_: *mut Thing) -> *mut Thing {
    unimplemented!()
}
pub unsafe extern "C" fn default_thing() -> *const Thing {
    unimplemented!()
}
pub unsafe extern "C" fn other(_: *mut Thing) -> *mut Other {
    unimplemented!()
}
pub unsafe extern "C" fn data(_: *mut Thing) -> *const c_void {
    unimplemented!()
}
pub unsafe extern "C" fn name(_: *mut Thing) -> *const c_char {
    unimplemented!()
}
pub unsafe extern "C" fn name_mut(_: *mut Thing) -> *mut c_char {
    unimplemented!()
}
pub unsafe extern "C" fn mutex(_: *mut Thing) -> *mut Mutex {
    unimplemented!()
}
pub unsafe extern "C" fn enter(_: *mut Mutex) {}

/// The address of a variable of the thread.
pub unsafe extern "C" fn strict() -> *mut c_int {
    unimplemented!()
}
pub unsafe extern "C" fn receive(_: *mut Thing, _: *mut i32, _: *mut u8, _: i32) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn make(_: *mut Thing, _: *mut *mut Thing, _: *mut u8, _: *mut i32) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn explain(_: *mut Thing, _: *mut u8, _: *mut i32, _: *mut *mut c_char) -> i32 {
    unimplemented!()
}

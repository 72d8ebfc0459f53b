//! Only callbacks have an `OutBuffer`.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

#[expect(non_camel_case_types)]
pub struct h;
pub unsafe extern "C" fn h_free(_: *mut h) {}
pub unsafe extern "C" fn h_read(_: *mut h, _: *mut u8, _: usize) -> c_int {
    0
}

#[handle(raw = h, release = h_free)]
pub struct H;

#[methods(unsafe, rust_only)]
impl H {
    #[calls(h_read, args = (self, buffer.ptr, buffer.len))]
    fn read(&self, buffer: OutBuffer<'_>) -> Result<i32>;
}

#[methods(unsafe)]
impl H {
    fn fill(&self, buffer: OutBuffer<'_>) {}
}

fn main() {}

//! A callback with an `OutBuffer` has no `before`.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

pub unsafe extern "C" fn default_read(_: *mut u8, count: usize, _: *mut c_void) -> usize {
    count
}

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data), before = default_read)]
    fn read(&self, buffer: OutBuffer<'_>) {}
}

fn main() {}

//! `len` is the length of the one memory whose length C does not pass.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

type TwoFn = unsafe extern "C" fn(*const u8, *const u8, usize, *mut c_void) -> c_int;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (_, size, data), len = size)]
    fn nothing(&self) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data), len = 2)]
    fn with_length(&self, buffer: OutBuffer<'_>) {}

    #[callback(TwoFn, args = (one.ptr, other.ptr, size, data), len = size)]
    fn two(&self, one: &[u8], other: &[u8]) {}

    #[callback(TwoFn, args = (one.ptr, _, size, data), len = size, until = null)]
    fn until_null(&self, one: Vec<u8>) {}
}

fn main() {}

//! An `OutBuffer` is passed as a pointer and a length.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, _, data))]
    fn without_length(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer, _, data))]
    fn without_pointer(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (_, buffer.len, data))]
    fn with_length_only(&self, buffer: Option<OutBuffer<'_>>) {}

    #[callback(ReadFn, args = (buffer.ptr, _, data), until = null)]
    fn until_null(&self, buffer: OutBuffer<'_>) {}
}

fn main() {}

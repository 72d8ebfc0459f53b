//! An `OutBuffer` is taken by value, and until the callback returns.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn by_mut(&self, buffer: &mut OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn by_reference(&self, buffer: Option<&OutBuffer<'_>>) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn in_a_vec(&self, buffer: Vec<OutBuffer<'_>>) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn for_ever(&self, buffer: OutBuffer<'static>) {}
}

fn main() {}

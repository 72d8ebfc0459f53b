//! `len` is an integer, and sees the names in `args` only.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, _size, data), len = 1.5)]
    fn float(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, _size, data), len = data)]
    fn pointer(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, _size, data), len = self.size())]
    fn of_self(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, _size, data), len = *data.cast::<usize>())]
    fn behind_a_pointer(&self, buffer: OutBuffer<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, _size, data), len = { __buffer_ptr; buffer; 1 })]
    fn of_generated_names(&self, buffer: OutBuffer<'_>) {}

    fn size(&self) -> usize {
        1
    }
}

fn main() {}

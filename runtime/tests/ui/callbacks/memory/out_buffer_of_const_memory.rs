//! C's memory that a callback fills is not `const`, and the callback tells C a number of bytes.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

type ConstFn = unsafe extern "C" fn(*const u8, usize, *mut c_void) -> usize;
type NumbersFn = unsafe extern "C" fn(*mut c_int, usize, *mut c_void) -> usize;
type FloatFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> f64;
type PointerFn = unsafe extern "C" fn(*mut u8, *mut u8, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ConstFn, args = (buffer.ptr, buffer.len, data))]
    fn of_const(&self, buffer: OutBuffer<'_>) {}

    #[callback(NumbersFn, args = (buffer.ptr, buffer.len, data))]
    fn of_numbers(&self, buffer: OutBuffer<'_>) {}

    #[callback(FloatFn, args = (buffer.ptr, buffer.len, data))]
    fn counted_in_a_float(&self, buffer: OutBuffer<'_>) {}

    #[callback(PointerFn, args = (buffer.ptr, buffer.len, data))]
    fn with_a_pointer_as_length(&self, buffer: OutBuffer<'_>) {}
}

fn main() {}

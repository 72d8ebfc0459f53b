//! No alias hides an `OutBuffer`, or takes its name.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

type Memory<'a> = OutBuffer<'a>;
type ForEver = OutBuffer<'static>;
mod named {
    pub type OutBuffer<'a> = &'a [u8];
}

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn by_alias(&self, buffer: Memory<'_>) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn for_ever(&self, buffer: Option<ForEver>) {}

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn by_the_name_of_another(&self, buffer: named::OutBuffer<'_>) {}
}

fn main() {}

//! A callback has one `OutBuffer`.

#![allow(unused, dead_code)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

type TwoFn = unsafe extern "C" fn(*mut u8, usize, *mut u8, usize, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

#[callbacks(unsafe)]
impl Source {
    #[callback(TwoFn, args = (one.ptr, one.len, other.ptr, other.len, data))]
    fn read(&self, one: OutBuffer<'_>, other: OutBuffer<'_>) {}
}

fn main() {}

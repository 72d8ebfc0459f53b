//! An expression in `on_error` or `data` is not inside an `unsafe` block.

#![allow(unused)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

#[path = "../../ffi/visit.rs"]
mod ffi;

#[handle(raw = ffi::Record, callback_only)]
pub struct Record;

#[derive(Attachment)]
pub struct State;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::VisitFn, args = (record, _, length, data), on_error = [0, 1][length as usize] + *std::ptr::null::<c_int>() + ffi::peek(record))]
    fn visit(&self) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data), data = if ffi::peek(record) == 0 { data } else { std::ptr::null_mut() })]
    fn look(&self) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data), on_error = ffi::peek(record))]
    fn calls_one_function(&self) {}
}

fn main() {}

//! An expression in `on_error` or `data` is not inside an `unsafe` block.

#![allow(non_camel_case_types, unused)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

mod ffi {
    use super::{c_int, c_void};

    pub struct record;
    pub unsafe extern "C" fn record_free(_: *mut record) {}
    pub type visit_t =
        unsafe extern "C" fn(*mut record, *const u8, c_int, *mut c_void) -> c_int;
    pub unsafe fn peek(_: *mut record) -> c_int {
        unimplemented!()
    }
}

#[handle(raw = ffi::record, callback_only)]
pub struct Record;

#[derive(Attachment)]
pub struct State;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::visit_t, args = (record, _, length, data), on_error = [0, 1][length as usize] + *std::ptr::null::<c_int>() + ffi::peek(record))]
    fn visit(&self) {}

    #[callback(ffi::visit_t, args = (record, _, _, data), data = if ffi::peek(record) == 0 { data } else { std::ptr::null_mut() })]
    fn look(&self) {}

    #[callback(ffi::visit_t, args = (record, _, _, data), on_error = ffi::peek(record))]
    fn calls_one_function(&self) {}
}

fn main() {}

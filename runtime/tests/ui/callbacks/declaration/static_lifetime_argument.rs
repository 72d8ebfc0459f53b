//! An argument of a callback has no lifetime of the author's choice.

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
    #[callback(ffi::visit_t, args = (record, bytes.ptr, bytes.len, data))]
    fn visit(&self, record: &'static Record, bytes: &'static [u8]) {}
}

fn main() {}

//! A type alias gives an argument of a callback no longer lifetime.

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

type Bytes = &'static [u8];
type Kept = Borrowed<'static, Record>;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::visit_t, args = (_, bytes.ptr, bytes.len, data))]
    fn bytes(&self, bytes: Bytes) {}

    #[callback(ffi::visit_t, args = (record, _, _, data))]
    fn record(&self, record: Kept) {}
}

fn main() {}

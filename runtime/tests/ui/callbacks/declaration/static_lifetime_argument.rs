//! An argument of a callback has no named lifetime: it is valid until the callback returns.

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
    #[callback(ffi::VisitFn, args = (record, bytes.ptr, bytes.len, data))]
    fn visit(&self, record: &'static Record, bytes: &'static [u8]) {}
}

fn main() {}

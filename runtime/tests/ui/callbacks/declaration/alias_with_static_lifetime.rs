//! A type alias cannot extend the lifetime of a callback's argument.

#![allow(unused)]

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

#[path = "../../ffi/visit.rs"]
mod ffi;

#[handle(raw = ffi::Record, callback_only)]
pub struct Record;

#[derive(Attachment)]
pub struct State;

mod kept {
    pub type Borrowed<T> = leakproof::Borrowed<'static, T>;
}

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn record(&self, record: kept::Borrowed<Record>) {}
}

fn main() {}

//! `thread_callback` names a location that holds a function pointer.

use std::ffi::c_int;

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors(Wrong, thread_callback = ffi::strict))]
pub struct Thing;

#[handle(raw = c_int, callback_only)]
pub struct Record;

#[derive(Default)]
pub struct Wrong;

impl ErrorSink for Wrong {
    type Record = Record;

    fn record(&mut self, _: &Record) {}
}

impl ErrorSource<Thing> for Wrong {
    fn into_error(self, _: &CallInfo<'_, Thing>) -> Error {
        Error::Failed("thing")
    }
}

fn main() {}

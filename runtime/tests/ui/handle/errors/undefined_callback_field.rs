//! `callback` names a field that exists.

use leakproof::prelude::*;

#[path = "../../ffi/reporting.rs"]
mod ffi;

#[handle(raw = ffi::Reporting, release = ffi::reporting_free, errors(MyErrors, callback = reports))]
pub struct Other;

#[handle(raw = ffi::Record, callback_only)]
pub struct Record;

#[derive(Default)]
pub struct MyErrors;

impl ErrorSink for MyErrors {
    type Record = Record;

    fn record(&mut self, _: &Record) {}
}

impl ErrorSource<Other> for MyErrors {
    fn into_error(self, _: &CallInfo<'_, Other>) -> Error {
        Error::Failed("f")
    }
}

fn main() {}

//! `callback` requires that the errors type implements `ErrorSink`.

use leakproof::prelude::*;

#[path = "../../ffi/reporting.rs"]
mod ffi;

#[handle(raw = ffi::Reporting, release = ffi::reporting_free, errors(MyErrors, callback = report))]
pub struct Other;

#[derive(Default)]
pub struct MyErrors;

impl ErrorSource<Other> for MyErrors {
    fn into_error(self, _: &CallInfo<'_, Other>) -> Error {
        Error::Failed("f")
    }
}

fn main() {}

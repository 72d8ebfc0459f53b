//! `callback` requires that the errors type implements `Collect`.

use leakproof::prelude::*;

#[path = "../../ffi/reporting.rs"]
mod ffi;

#[handle(raw = ffi::Reporting, release = ffi::reporting_free, errors(MyErrors, callback = report))]
pub struct Other;

#[derive(Default)]
pub struct MyErrors;

impl Errors<Other> for MyErrors {
    fn failed(self, _: &Call<'_, Other>) -> Error {
        Error::Failed("f")
    }
}

fn main() {}

//! `callback` names a field that exists.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Record;
    pub type Report = Option<unsafe extern "C" fn(*mut std::ffi::c_void, *mut Record)>;
    pub struct Reporting {
        pub report: Report,
    }
    pub unsafe extern "C" fn reporting_free(_: *mut Reporting) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Reporting, release = ffi::reporting_free, errors(MyErrors, callback = reports))]
pub struct Other;

#[handle(raw = ffi::Record, callback_only)]
pub struct Record;

#[derive(Default)]
pub struct MyErrors;

impl Collect for MyErrors {
    type Record = Record;

    fn collect(&mut self, _: &Record) {}
}

impl Errors<Other> for MyErrors {
    fn failed(self, _: &Call<'_, Other>) -> Error {
        Error::Failed("f")
    }
}

fn main() {}

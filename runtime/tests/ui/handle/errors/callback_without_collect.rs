//! `callback` requires that the errors type implements `Collect`.

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

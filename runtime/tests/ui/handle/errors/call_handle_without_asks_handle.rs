//! `Call::handle` requires `asks_handle`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_error(_: *mut Thing) -> c_int {
        unimplemented!()
    }
}

#[derive(Default)]
pub struct ThingErrors;

impl Errors<Thing> for ThingErrors {
    fn failed(self, call: &Call<'_, Thing>) -> Error {
        Error::Value(format!("{:?}", call.handle().map(Thing::code)))
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = ThingErrors)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_error)]
    fn code(&self) -> i32;
}

fn main() {}

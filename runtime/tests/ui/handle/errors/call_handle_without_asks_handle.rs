//! `CallInfo::handle` requires `asks_handle`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[derive(Default)]
pub struct ThingErrors;

impl ErrorSource<Thing> for ThingErrors {
    fn into_error(self, call: &CallInfo<'_, Thing>) -> Error {
        Error::Value(format!("{:?}", call.handle().map(Thing::code)))
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = ThingErrors)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size)]
    fn code(&self) -> i32;
}

fn main() {}

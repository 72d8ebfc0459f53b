//! The type in `errors` implements `ErrorSource` for this handle.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors = MyErrors)]
pub struct Other;

#[derive(Default)]
pub struct MyErrors;

impl ErrorSource<Thing> for MyErrors {
    fn into_error(self, _: &CallInfo<'_, Thing>) -> Error {
        Error::Failed("f")
    }
}

fn main() {}

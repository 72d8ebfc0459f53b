//! `Call::handle` requires `asks_handle`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

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
    #[calls(ffi::size)]
    fn code(&self) -> i32;
}

fn main() {}

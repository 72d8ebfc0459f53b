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

impl Collect for Wrong {
    type Record = Record;

    fn collect(&mut self, _: &Record) {}
}

impl Errors<Thing> for Wrong {
    fn failed(self, _: &Call<'_, Thing>) -> Error {
        Error::Failed("thing")
    }
}

fn main() {}

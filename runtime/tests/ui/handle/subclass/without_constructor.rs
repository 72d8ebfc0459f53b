//! `subclass` requires a constructor.
use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, subclass)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[staticmethod]
    fn open() -> Result<Owned<'static, Thing>> {
        Err(Error::Failed("thing_new"))
    }

    #[rust_only]
    fn new() -> Result<Owned<'static, Thing>> {
        Err(Error::Failed("thing_new"))
    }
}

fn main() {}

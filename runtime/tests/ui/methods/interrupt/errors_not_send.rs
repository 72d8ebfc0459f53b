//! `interrupt` requires an errors type that is `Send`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, errors = Bells)]
pub struct Bell;

#[derive(Default)]
pub struct Bells(std::rc::Rc<i32>);

impl ErrorSource<Bell> for Bells {
    fn into_error(self, _: &CallInfo<'_, Bell>) -> Error {
        Error::Value(self.0.to_string())
    }
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring, fails = nonzero, detach, interrupt = Bell::stop)]
    fn ring(&self) -> Result<()>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}

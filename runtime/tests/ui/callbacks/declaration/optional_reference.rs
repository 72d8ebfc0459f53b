//! An optional handle is a callback's parameter as `Option<Borrowed<…>>`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (bell, data))]
    fn ring(&self, bell: Option<&Bell>) -> i32 {
        i32::from(bell.is_some())
    }
}

fn main() {}

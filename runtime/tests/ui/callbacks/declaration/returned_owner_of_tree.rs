//! A callback does not give C the owner of a tree: C would not release the parts that are unlinked.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[derive(Debug, Attachment)]
pub struct State(());

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::MakeFn, args = (data))]
    fn make(&self) -> Option<Owned<Outline>> {
        None
    }
}

fn main() {}

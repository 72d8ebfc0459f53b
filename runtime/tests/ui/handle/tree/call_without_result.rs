//! A call that may move a part returns a `Result`.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

#[methods(unsafe)]
impl Topic {
    #[calls(ffi::topic_unlink)]
    fn unlink(&mut self);
}

fn main() {}

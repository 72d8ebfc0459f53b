//! C's functions link the parts of a tree, and no setter does.

use leakproof::prelude::*;

#[path = "../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(
    parent = up, children = first, next = next, object = user, release = ffi::topic_free,
))]
pub struct Topic;

#[methods(unsafe, rust_only)]
impl Topic {
    #[field(next)]
    fn set_next(&mut self, next: Option<&Topic>);
}

fn main() {}

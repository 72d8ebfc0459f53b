//! The values of `when` have the type of the tag.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(
    parent = up, children(first, when(kind, "list")), next = next, object = user, release = ffi::topic_free
))]
pub struct Topic;

fn main() {}

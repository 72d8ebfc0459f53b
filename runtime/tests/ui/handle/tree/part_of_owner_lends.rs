//! Nothing that lives in the owner of a tree lends memory.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

#[handle(raw = ffi::Outline, part_of = Outline, lends)]
pub struct Whole;

#[handle(raw = ffi::Topic, part_of = Topic, owner_field = self, lends)]
pub struct Labels;

fn main() {}

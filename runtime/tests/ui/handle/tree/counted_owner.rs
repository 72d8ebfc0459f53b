//! The owner of parts with `tree` has one owner.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, retain = ffi::outline_retain, release = ffi::outline_free, independent, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

fn main() {}

//! The owner of parts with `tree` is gone after each release.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release(ffi::outline_close, fails = nonzero, on_failure = kept), tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

fn main() {}

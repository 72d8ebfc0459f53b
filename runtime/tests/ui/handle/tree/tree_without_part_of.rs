//! `tree` requires `part_of`.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, release = ffi::topic_free, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

fn main() {}

//! What lives in a tree lends no handle with a release: a call that edits the tree may give that out.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

#[handle(raw = ffi::Topic, part_of = Topic, owner_field = self)]
pub struct Labels;

#[handle(raw = ffi::Outline, release = ffi::outline_free)]
pub struct Draft;

#[methods(unsafe, rust_only)]
impl Outline {
    #[calls(ffi::outline_draft)]
    fn draft(&self) -> Option<Borrowed<Draft>>;
}

#[methods(unsafe, rust_only)]
impl Topic {
    #[field(outline)]
    fn outline(&self) -> Option<Borrowed<Outline>>;

    #[field(outline)]
    fn draft(&self) -> Option<Borrowed<Draft>>;
}

#[methods(unsafe, rust_only)]
impl Labels {
    #[field(outline)]
    fn outline(&self) -> Option<Borrowed<Outline>>;

    #[rust_only]
    #[calls(ffi::outline_draft, args = (outline))]
    fn draft_of(outline: &Outline) -> Option<Borrowed<Draft>>;
}

fn main() {}

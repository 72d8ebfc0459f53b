//! A part of a tree ends before the unlinked parts are released.

use leakproof::prelude::*;

#[path = "../../ffi/outline.rs"]
mod ffi;

#[handle(raw = ffi::Outline, release = ffi::outline_free, tree)]
pub struct Outline;

#[handle(raw = ffi::Topic, part_of = Outline, owner_field = outline, tree(parent = up, children = first, next = next, object = user, release = ffi::topic_free))]
pub struct Topic;

#[methods(unsafe, rust_only)]
impl Outline {
    #[field(root)]
    fn root(&self) -> Option<Borrowed<Topic>>;
}

#[methods(unsafe, rust_only)]
impl Topic {
    #[field(kind)]
    fn kind(&self) -> i32;
}

fn released(mut outline: Owned<'static, Outline>) -> Option<i32> {
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root()?;
    outline.release_unlinked();
    Some(root.kind())
}

fn edited_twice(mut outline: Owned<'static, Outline>) -> Option<i32> {
    let first = Tree::of(&mut *outline);
    let second = Tree::of(&mut *outline);
    let root = first.owner().root()?;
    drop(second);
    Some(root.kind())
}

fn main() {
    let _ = (released, edited_twice);
}

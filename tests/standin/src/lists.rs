//! Lists, whose nodes are valid until the list grows, and their editors.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A list, whose nodes move when it grows.
#[handle(raw = ffi::list, release = ffi::list_free, fork_safe, lends)]
pub struct List;

#[methods(unsafe)]
impl List {
    /// Makes an empty list.
    #[new]
    #[calls(ffi::list_new, fails = null)]
    fn new() -> Result<Owned<List>>;

    /// Sleeps, and borrows the list exclusively.
    #[calls(ffi::list_sleep, detach)]
    fn sleep(&mut self, milliseconds: u32);

    /// Adds a number at the end.
    #[calls(ffi::list_push)]
    fn push(&mut self, number: c_int);

    /// Returns the number of nodes, once the gate is open.
    #[calls(ffi::list_look, detach)]
    fn look(&self) -> c_int;

    /// The first node.
    #[getter]
    #[calls(ffi::list_first)]
    fn first(&self) -> Option<Borrowed<Node>>;

    /// All nodes.
    fn __iter__(&self) -> Successors<Node> {
        Successors::new(self.first(), Node::next)
    }
}

// What edits a list lives in it.
#[methods(unsafe)]
impl List {
    /// Makes an editor, beside which the list can be used.
    #[calls(ffi::editor_new, fails = null)]
    fn editor(&mut self) -> Result<Owned<Editor>>;

    /// Makes an editor that borrows the list exclusively.
    #[calls(ffi::editor_new, fails = null)]
    fn sole_editor(&mut self) -> Result<Owned<SoleEditor>>;

    /// Keeps an editor of this list.
    #[calls(ffi::list_keep)]
    fn keep(&mut self, editor: Owned<Editor>);

    /// Keeps an editor of this list, by a shared call.
    #[calls(ffi::list_keep)]
    fn keep_beside(&self, editor: Owned<Editor>);

    /// Keeps an editor that borrows this list exclusively.
    #[calls(ffi::list_keep)]
    fn keep_sole(&mut self, editor: Owned<SoleEditor>);

    /// Keeps an editor of this list. A body cannot, because safe Rust could use both.
    fn keep_in_body(&mut self, editor: Owned<Editor>) {
        drop(editor);
    }

    /// Adds a number by the editor that this list keeps.
    #[calls(ffi::list_push_by_editor)]
    fn push_by_editor(&mut self, number: c_int);

    /// Meets a node of this list.
    #[calls(ffi::list_meet)]
    fn meet(&self, node: &Node);

    /// Meets a node of any list.
    #[foreign(node)]
    #[calls(ffi::list_meet)]
    fn meet_any(&self, node: &Node);
}

/// An editor, which pushes to its list, one call at a time.
#[handle(raw = ffi::editor, release = ffi::editor_free, parent = List, mut_parent, fork_safe)]
pub struct Editor;

#[methods(unsafe)]
impl Editor {
    /// Calls `during`, then drops the editor, and fails if `fails`.
    fn lose(this: Owned<Self>, during: Callable, fails: bool) -> Result<()> {
        during.call_unit(())?;
        drop(this);
        match fails {
            true => Err(Error::Value("failed".into())),
            false => Ok(()),
        }
    }

    /// Adds a number at the end of the list.
    #[calls(ffi::editor_push)]
    fn push(&mut self, number: c_int);

    /// Counts the numbers of the list by an exclusive borrow.
    #[reads_parent]
    #[calls(ffi::editor_count)]
    fn count(&mut self) -> c_int;

    /// Counts the numbers of the list by a shared borrow.
    #[calls(ffi::editor_count)]
    fn count_beside(&self) -> c_int;

    /// Works by an exclusive borrow of the editor and of the list.
    #[calls(ffi::editor_work, detach)]
    fn work(&mut self);

    /// Works by an exclusive borrow.
    #[reads_parent]
    #[calls(ffi::editor_work, detach)]
    fn work_reading(&mut self);

    /// Keeps another editor of the same list.
    #[calls(ffi::editor_keep)]
    fn keep(&mut self, other: Owned<Editor>);
}

/// An editor that borrows its list exclusively as long as it lives.
#[handle(raw = ffi::editor, release = ffi::editor_free, parent = &mut List, fork_safe)]
pub struct SoleEditor;

#[methods(unsafe)]
impl SoleEditor {
    /// Adds a number at the end of the list.
    #[calls(ffi::editor_push)]
    fn push(&mut self, number: c_int);

    /// Works by a shared borrow.
    #[calls(ffi::editor_work, detach)]
    fn work_beside(&self);
}

/// A node, until the list grows.
#[handle(raw = ffi::node, part_of = List, until_mut)]
pub struct Node;

#[methods(unsafe)]
impl Node {
    /// The number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;

    /// The next node.
    #[getter]
    #[field(next)]
    fn next(&self) -> Option<Borrowed<Node>>;

    /// The place of the number.
    #[getter]
    #[field(self)]
    fn place(&self) -> Option<Borrowed<Place>>;
}

/// A place in a node, which is gone with it.
#[handle(raw = ffi::node, part_of = Node)]
pub struct Place;

#[methods(unsafe)]
impl Place {
    /// The number at the place.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

//! Trees whose parts move.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::KeptPart;
use leakproof::prelude::*;
use leakproof::pyo3::prelude::*;

use crate::ffi;

/// An outline, which has the topic 0 at first.
#[handle(raw = ffi::outline, release = ffi::outline_free, fork_safe, tree)]
pub struct Outline;

#[methods(unsafe)]
impl Outline {
    /// Makes an outline.
    #[new]
    #[calls(ffi::outline_new, fails = null)]
    fn new() -> Result<Owned<Outline>>;

    /// The topmost topic.
    #[getter]
    #[field(root)]
    fn root(&self) -> Option<Borrowed<Topic>>;

    /// Makes a topic that is not linked.
    #[calls(ffi::topic_new, fails = null)]
    fn topic(&mut self, number: c_int) -> Result<Borrowed<Topic>>;

    /// Makes a note that is not linked.
    #[calls(ffi::note_new, fails = null)]
    fn note(&mut self, number: c_int) -> Result<Borrowed<Topic>>;

    /// Makes `root` the topmost topic, and returns the former one.
    #[calls(ffi::outline_set_root, fails = when(|_| false))]
    fn set_root(&mut self, root: Option<&mut Topic>) -> Result<Option<Borrowed<Topic>>>;

    /// The number of topics that were released.
    #[getter]
    #[calls(ffi::outline_released)]
    fn released(&self) -> c_int;

    /// Makes a bookmark.
    #[calls(ffi::bookmark_new, fails = null)]
    fn bookmark(&self) -> Result<Owned<Bookmark>>;

    /// Makes a topic, and raises ValueError.
    fn topic_in_vain(&mut self, number: c_int) -> Result<()> {
        self.topic(number)?;
        Err(Error::Value("in vain".into()))
    }

    /// Calls `callable` while the outline is in use.
    fn during(&self, py: Python<'_>, callable: Py<PyAny>) -> PyResult<Py<PyAny>> {
        callable.call0(py)
    }

    /// Calls `callable` while the outline is in use exclusively.
    fn during_mut(&mut self, py: Python<'_>, callable: Py<PyAny>) -> PyResult<Py<PyAny>> {
        callable.call0(py)
    }
}

/// A topic of an outline.
#[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
    parent = up,
    children = first,
    children(notes, when(kind, ffi::TOPIC)),
    next = next,
    object = user,
    release = ffi::topic_free,
    root = root,
))]
pub struct Topic;

#[methods(unsafe)]
impl Topic {
    /// The number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;

    /// The topic above.
    #[getter]
    #[field(up)]
    fn up(&self) -> Option<Borrowed<Topic>>;

    /// The first topic below.
    #[getter]
    #[field(first)]
    fn first(&self) -> Option<Borrowed<Topic>>;

    /// The first note.
    #[getter]
    #[field(notes, when(kind, ffi::TOPIC))]
    fn first_note(&self) -> Option<Borrowed<Topic>>;

    /// The next topic in the list.
    #[getter]
    #[field(next)]
    fn next(&self) -> Option<Borrowed<Topic>>;

    /// The topics below.
    #[getter]
    fn topics(&self) -> Vec<Borrowed<'_, Topic>> {
        Successors::new(self.first(), Topic::next).collect()
    }

    fn __iter__(&self) -> Successors<'_, Topic> {
        Successors::new(self.first(), Topic::next)
    }

    /// Takes the topic out of the list that it is in.
    #[calls(ffi::topic_unlink, fails = when(|_| false))]
    fn unlink(&mut self) -> Result<()>;

    /// Moves `child` to the end of the topics or notes below this one.
    #[calls(ffi::topic_add, fails = negative)]
    fn add(&mut self, child: &mut Topic) -> Result<()>;

    /// Makes a topic at the end of those below this one.
    fn append(&mut self, number: c_int) -> Result<Borrowed<'_, Topic>> {
        let (tree, this) = Tree::around(self)?;
        let mut outline = tree.edit_owner();
        let made = outline.topic(number)?;
        tree.edit(this)?.add(&mut *tree.edit(made)?)?;
        made.with_owner(tree.owner())
            .ok_or_else(|| Error::Value("a topic of another outline".into()))
    }

    /// Unlinks all topics below this one.
    fn clear(&mut self) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        while let Some(first) = this.first() {
            tree.edit(first)?.unlink()?;
        }
        Ok(())
    }

    /// Returns the number after the gate was opened.
    #[calls(ffi::topic_wait, detach)]
    fn wait(&self) -> c_int;
}

/// A place in an outline. C keeps a pointer to the topic.
#[handle(raw = ffi::bookmark, release = ffi::bookmark_free, parent = Outline, attachments, fork_safe)]
pub struct Bookmark;

/// The topic of a bookmark.
#[derive(Attachment)]
struct Marked(Mutex<Option<KeptPart>>);

#[methods(unsafe)]
impl Bookmark {
    #[rust_only]
    #[calls(ffi::bookmark_set)]
    fn keep(&mut self, topic: &Topic);

    /// The number of the topic; -1 without one.
    #[calls(ffi::bookmark_number)]
    fn number(&self) -> c_int;

    /// Moves the bookmark to a topic.
    fn set(&mut self, topic: &Topic) -> Result<()> {
        let kept = KeptPart::of(topic)?;
        self.keep(topic);
        match attached::<Marked, _>(self) {
            Some(Marked(place)) => *place.lock().unwrap() = Some(kept),
            None => attach(self, Marked(Mutex::new(Some(kept)))),
        }
        Ok(())
    }
}

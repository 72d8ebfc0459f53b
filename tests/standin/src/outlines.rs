//! Trees whose parts move.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::prelude::*;
use leakproof::pyo3::prelude::*;
use leakproof::{Borrowed, KeptPart};

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

    #[rust_only]
    #[foreign(topic)]
    #[calls(ffi::topic_copy, args = (topic, self), fails = null)]
    fn copy(&mut self, topic: &Topic) -> Result<Borrowed<Topic>>;

    /// Moves a topic of another outline here, with all below it. Calls `before` first.
    #[foreign(topic)]
    #[pyo3(signature = (topic, before = None))]
    fn adopt(
        &mut self,
        py: Python<'_>,
        topic: &mut Topic,
        before: Option<Py<PyAny>>,
    ) -> PyResult<Borrowed<'_, Topic>> {
        if let Some(before) = before {
            before.call0(py)?;
        }
        let (there, original) = Tree::around(topic)?;
        let here = Tree::of(self);
        let mut outline = here.edit_owner();
        let copy = outline.copy(original.get())?;
        here.adopt_objects(&there, &[(original, copy)])?;
        there.edit(original)?.unlink()?;
        Ok(within(copy, here.owner())?)
    }

    /// Copies a topic of another outline, gives the copy the objects, and leaves the topic where it is.
    #[foreign(topic)]
    fn take(&mut self, topic: &mut Topic) -> Result<Borrowed<'_, Topic>> {
        let (there, original) = Tree::around(topic)?;
        let here = Tree::of(self);
        let mut outline = here.edit_owner();
        let copy = outline.copy(original.get())?;
        here.adopt_objects(&there, &[(original, copy)])?;
        within(copy, here.owner())
    }

    /// Makes a topic without the topics below `topic`, and gives it the objects of `topic`.
    #[foreign(topic)]
    fn adopt_alone(&mut self, topic: &mut Topic) -> Result<Borrowed<'_, Topic>> {
        let (there, original) = Tree::around(topic)?;
        let here = Tree::of(self);
        let mut outline = here.edit_owner();
        let copy = outline.topic(original.number())?;
        here.adopt_objects(&there, &[(original, copy)])?;
        there.edit(original)?.unlink()?;
        within(copy, here.owner())
    }

    /// Moves two topics of another outline here. The second one is copied without those below it.
    #[foreign(one, two)]
    fn adopt_two(&mut self, one: &mut Topic, two: &mut Topic) -> Result<()> {
        let (there, one) = Tree::around(one)?;
        let (_, two) = Tree::around(two)?;
        let here = Tree::of(self);
        let copy_of_one = within(here.edit_owner().copy(one.get())?, here.owner())?;
        let copy_of_two = within(here.edit_owner().topic(two.number())?, here.owner())?;
        here.adopt_objects(&there, &[(one, copy_of_one), (two, copy_of_two)])?;
        there.edit(one)?.unlink()?;
        there.edit(two)?.unlink()
    }

    /// Makes one topic, and gives it the objects of both.
    #[foreign(one, two)]
    fn adopt_both(&mut self, one: &mut Topic, two: &mut Topic) -> Result<()> {
        let (there, one) = Tree::around(one)?;
        let (_, two) = Tree::around(two)?;
        let here = Tree::of(self);
        let copy = within(here.edit_owner().topic(one.number())?, here.owner())?;
        here.adopt_objects(&there, &[(one, copy), (two, copy)])
    }

    /// Makes two topics, and gives each the objects of `topic`.
    #[foreign(topic)]
    fn adopt_twice(&mut self, topic: &mut Topic) -> Result<()> {
        let (there, topic) = Tree::around(topic)?;
        let here = Tree::of(self);
        let first = within(here.edit_owner().topic(topic.number())?, here.owner())?;
        let second = within(here.edit_owner().topic(topic.number())?, here.owner())?;
        here.adopt_objects(&there, &[(topic, first), (topic, second)])
    }

    /// Gives the objects of `topic` to `copy`, which is of another outline or not.
    #[foreign(topic, copy)]
    fn exchange(&mut self, topic: &mut Topic, copy: &mut Topic) -> Result<()> {
        let (there, original) = Tree::around(topic)?;
        let (here, copy) = Tree::around(copy)?;
        here.adopt_objects(&there, &[(original, copy)])
    }

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

    /// Waits at the gate, then ends the outline. Fails for a negative number.
    #[calls(ffi::outline_end, fails = negative, consumes = on_success, detach)]
    fn end(this: Owned<Self>, number: c_int) -> Result<()>;

    /// Returns the outline in another type.
    fn as_whole(this: Owned<Self>) -> Whole<'_> {
        Whole::Outline(this)
    }

    /// Calls `before`, drops the outline, and fails for a negative number.
    fn lose(this: Owned<Self>, number: c_int, before: Callable) -> Result<()> {
        before.call_unit(())?;
        drop(this);
        match number < 0 {
            true => Err(Error::Value("failed".into())),
            false => Ok(()),
        }
    }

    /// Releases what is unlinked, and fails.
    fn prune_in_vain(mut this: Owned<Self>) -> Result<()> {
        this.release_unlinked();
        Err(Error::Value("failed".into()))
    }

    /// Releases what is unlinked, and returns the number of a topic.
    fn prune_beside(mut this: Owned<Self>, topic: &Topic) -> c_int {
        this.release_unlinked();
        topic.number()
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

/// A result whose type hides an outline.
#[derive(IntoPython)]
pub(crate) enum Whole<'o> {
    Outline(Owned<'o, Outline>),
}

fn within<'t>(topic: Borrowed<'_, Topic>, outline: &'t Outline) -> Result<Borrowed<'t, Topic>> {
    topic
        .with_owner(outline)
        .ok_or_else(|| Error::Value("a topic of another outline".into()))
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

    /// Moves this topic to the outline of `other`, and `other` to that of this one.
    #[foreign(other)]
    fn swap(&mut self, other: &mut Topic) -> Result<()> {
        let (mine, this) = Tree::around(self)?;
        let (theirs, other) = Tree::around(other)?;
        let there = within(theirs.edit_owner().copy(this.get())?, theirs.owner())?;
        let here = within(mine.edit_owner().copy(other.get())?, mine.owner())?;
        theirs.adopt_objects(&mine, &[(this, there)])?;
        mine.adopt_objects(&theirs, &[(other, here)])?;
        mine.edit(this)?.unlink()?;
        theirs.edit(other)?.unlink()
    }

    /// Moves this topic to an outline and back.
    #[foreign(outline)]
    fn visit(&mut self, outline: &mut Outline) -> Result<()> {
        let (mine, this) = Tree::around(self)?;
        let theirs = Tree::of(outline);
        let there = within(theirs.edit_owner().copy(this.get())?, theirs.owner())?;
        theirs.adopt_objects(&mine, &[(this, there)])?;
        mine.adopt_objects(&theirs, &[(there, this)])
    }

    /// Moves this topic to an outline, and returns the badge that it had before.
    #[foreign(outline)]
    fn leave(&mut self, outline: &mut Outline) -> Result<Option<Borrowed<'_, Badge>>> {
        let (mine, this) = Tree::around(self)?;
        let badge = this.get().badge();
        let theirs = Tree::of(outline);
        let there = within(theirs.edit_owner().copy(this.get())?, theirs.owner())?;
        theirs.adopt_objects(&mine, &[(this, there)])?;
        mine.edit(this)?.unlink()?;
        Ok(badge)
    }

    /// The badge as one of several.
    fn badges(&self) -> Successors<'_, Badge> {
        Successors::new(self.badge(), Badge::next)
    }

    /// The topic by another type.
    #[getter]
    #[field(self)]
    fn heading(&self) -> Borrowed<Heading>;

    /// The badge, which belongs to the topic.
    #[getter]
    #[field(badge)]
    fn badge(&self) -> Option<Borrowed<Badge>>;

    /// Takes the topic out of the list that it is in.
    #[calls(ffi::topic_unlink, fails = when(|_| false))]
    fn unlink(&mut self) -> Result<()>;

    /// Takes another topic of the outline out of the list that it is in.
    #[calls(ffi::topic_unlink, args = (topic), fails = when(|_| false))]
    fn take_out(&self, topic: &mut Topic) -> Result<()>;

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

/// A topic by another type, at its address.
#[handle(raw = ffi::topic, part_of = Topic, owner_field = self)]
pub struct Heading;

#[methods(unsafe)]
impl Heading {
    /// Moves a topic to the end of those below this one.
    fn append(&mut self, topic: &mut Topic) -> Result<()> {
        let (tree, this) = Tree::around_owner_of(self)?;
        let topic = within(Borrowed::from(&*topic), tree.owner())?;
        tree.edit(this)?.add(&mut *tree.edit(topic)?)
    }

    /// The number, and that of another topic after a change.
    fn unlink_other(&self, topic: &mut Topic) -> Result<(c_int, c_int)> {
        topic.unlink()?;
        Ok((self.number(), topic.number()))
    }

    /// The number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

/// A part of a topic, at another address.
#[handle(raw = ffi::badge, part_of = Topic)]
pub struct Badge;

#[methods(unsafe)]
impl Badge {
    /// The number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;

    /// The clasp, at the address of the badge.
    #[getter]
    #[field(self)]
    fn clasp(&self) -> Borrowed<Clasp>;

    #[rust_only]
    fn next(&self) -> Option<Borrowed<'_, Badge>> {
        None
    }
}

/// A part of a badge.
#[handle(raw = ffi::badge, part_of = Badge)]
pub struct Clasp;

#[methods(unsafe)]
impl Clasp {
    /// The number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

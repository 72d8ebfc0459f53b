//! Parts that move: which subtrees are unlinked, and when they are released.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::prelude::*;
use leakproof::{KeptPart, live_handles};

use crate::wrapper::ffi::Next::Fail;
use crate::wrapper::ffi::{log, next};
use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::outline, release = ffi::outline_free, tree)]
struct Outline;

#[methods(unsafe, rust_only)]
impl Outline {
    #[calls(ffi::outline_new, fails = null)]
    fn new() -> Result<Owned<Outline>>;

    #[field(root)]
    fn root(&self) -> Option<Borrowed<Topic>>;

    #[calls(ffi::topic_new, fails = null)]
    fn topic(&mut self, number: c_int) -> Result<Borrowed<Topic>>;

    #[calls(ffi::note_new, fails = null)]
    fn note(&mut self, number: c_int) -> Result<Borrowed<Topic>>;

    #[foreign(topic)]
    #[calls(ffi::topic_copy, args = (topic, self), fails = null)]
    fn copy(&mut self, topic: &Topic) -> Result<Borrowed<Topic>>;

    #[calls(ffi::outline_set_root, fails = when(|_| false))]
    fn set_root(&mut self, root: Option<&mut Topic>) -> Result<Option<Borrowed<Topic>>>;

    #[calls(ffi::outline_released)]
    fn released(&self) -> c_int;

    #[calls(ffi::outline_end, fails = negative, consumes = on_success)]
    fn end(this: Owned<Self>, number: c_int) -> Result<()>;

    #[calls(ffi::bookmark_new, fails = null)]
    fn bookmark(&self) -> Result<Owned<Bookmark>>;
}

#[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
    parent = up,
    children = first,
    children(notes, when(kind, ffi::TOPIC)),
    next = next,
    object = user,
    release = ffi::topic_free,
    root = root,
))]
struct Topic;

#[methods(unsafe, rust_only)]
impl Topic {
    #[field(number)]
    fn number(&self) -> c_int;

    #[field(first)]
    fn first(&self) -> Option<Borrowed<Topic>>;

    #[field(next)]
    fn next(&self) -> Option<Borrowed<Topic>>;

    #[field(up)]
    fn parent(&self) -> Option<Borrowed<Topic>>;

    #[calls(ffi::topic_unlink, fails = when(|_| false))]
    fn unlink(&mut self) -> Result<()>;

    #[calls(ffi::topic_unlink, args = (topic), fails = when(|_| false))]
    fn take_out(&self, topic: &mut Topic) -> Result<()>;

    #[calls(ffi::topic_add, fails = negative)]
    fn add(&mut self, child: &mut Topic) -> Result<()>;

    #[field(self)]
    fn heading(&self) -> Borrowed<Heading>;

    #[foreign(heading)]
    #[calls(ffi::topic_add, args = (heading, self), fails = negative)]
    fn add_to(&mut self, heading: &Heading) -> Result<()>;

    /// Unlinks all topics below this one.
    fn clear(&mut self) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        while let Some(first) = this.first() {
            tree.edit(first)?.unlink()?;
        }
        Ok(())
    }
}

/// A topic by another type.
#[handle(raw = ffi::topic, part_of = Topic, owner_field = self)]
struct Heading;

/// A place in an outline. C keeps a pointer to the topic.
#[handle(raw = ffi::bookmark, release = ffi::bookmark_free, parent = Outline, attachments)]
struct Bookmark;

/// The topic of a bookmark.
#[derive(Attachment)]
struct Marked(Mutex<Option<KeptPart>>);

#[methods(unsafe, rust_only)]
impl Bookmark {
    #[calls(ffi::bookmark_set)]
    fn keep(&mut self, topic: &Topic);

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

fn new() -> Owned<'static, Outline> {
    let outline = Outline::new().unwrap();
    log();
    outline
}

/// Makes a topic.
fn topic<'t>(tree: &Tree<'t, Outline>, number: c_int) -> Borrowed<'t, Topic> {
    let mut owner = tree.edit_owner();
    let made = owner.topic(number).unwrap();
    made.with_owner(tree.owner()).unwrap()
}

/// Makes a note.
fn note<'t>(tree: &Tree<'t, Outline>, number: c_int) -> Borrowed<'t, Topic> {
    let mut owner = tree.edit_owner();
    let made = owner.note(number).unwrap();
    made.with_owner(tree.owner()).unwrap()
}

/// Makes a copy of a topic of another outline.
fn copy_of<'t>(tree: &Tree<'t, Outline>, original: Borrowed<'_, Topic>) -> Borrowed<'t, Topic> {
    let mut owner = tree.edit_owner();
    let made = owner.copy(original.get()).unwrap();
    made.with_owner(tree.owner()).unwrap()
}

fn add<'t>(tree: &Tree<'t, Outline>, parent: Borrowed<'t, Topic>, child: Borrowed<'t, Topic>) {
    let mut child = tree.edit(child).unwrap();
    tree.edit(parent).unwrap().add(&mut child).unwrap();
}

fn unlink<'t>(tree: &Tree<'t, Outline>, topic: Borrowed<'t, Topic>) {
    tree.edit(topic).unwrap().unlink().unwrap();
}

fn unlinked() -> isize {
    live_handles()["Topic"]
}

#[test]
fn a_part_that_is_never_linked_is_released_before_its_owner() {
    let _library = Library::start();
    let mut outline = new();
    let before = unlinked();
    outline.topic(1).unwrap();
    assert_eq!(unlinked() - before, 1);
    drop(outline);
    assert_eq!(log(), ["topic_new 1", "topic_free 1", "outline_free 2"]);
    assert_eq!(unlinked(), before);
}

#[test]
fn a_part_that_is_linked_is_released_by_its_owner() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    let made = topic(&tree, 1);
    add(&tree, root, made);
    assert_eq!((root.first(), made.parent()), (Some(made), Some(root)));
    drop(outline);
    assert_eq!(log(), ["topic_new 1", "outline_free 2"]);
}

#[test]
fn an_unlinked_part_is_valid_as_long_as_the_tree() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    let (one, two) = (topic(&tree, 1), topic(&tree, 2));
    add(&tree, root, one);
    add(&tree, one, two);
    log();
    unlink(&tree, one);
    assert_eq!((root.first(), one.parent()), (None, None));
    assert_eq!((one.number(), one.first(), two.number()), (1, Some(two), 2));
    assert!(log().is_empty());
    outline.release_unlinked();
    assert_eq!(
        (outline.released(), log()),
        (2, vec!["topic_free 1".to_owned()])
    );
    drop(outline);
    assert_eq!(log(), ["outline_free 3"]);
}

#[test]
fn a_part_that_is_linked_again_is_not_released() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    let (one, two) = (topic(&tree, 1), topic(&tree, 2));
    add(&tree, root, one);
    add(&tree, root, two);
    unlink(&tree, two);
    add(&tree, one, two);
    log();
    outline.release_unlinked();
    assert_eq!(outline.released(), 0);
    drop(outline);
    assert_eq!(log(), ["outline_free 3"]);
}

#[test]
fn a_part_below_an_unlinked_one_becomes_a_subtree_of_its_own() {
    let _library = Library::start();
    let mut outline = new();
    let before = unlinked();
    let tree = Tree::of(&mut *outline);
    let (one, two) = (topic(&tree, 1), topic(&tree, 2));
    add(&tree, one, two);
    assert_eq!(unlinked() - before, 1);
    unlink(&tree, two);
    assert_eq!(unlinked() - before, 2);
    log();
    drop(outline);
    assert_eq!(log(), ["topic_free 2", "topic_free 1", "outline_free 3"]);
    assert_eq!(unlinked(), before);
}

#[test]
fn a_part_that_c_could_not_link_is_unlinked() {
    let _library = Library::start();
    let mut outline = new();
    let before = unlinked();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    let one = topic(&tree, 1);
    add(&tree, root, one);
    assert_eq!(unlinked() - before, 0);
    next([Fail]);
    tree.edit(root)
        .unwrap()
        .add(&mut tree.edit(one).unwrap())
        .unwrap_err();
    assert_eq!(unlinked() - before, 1);
    log();
    drop(outline);
    assert_eq!(log(), ["topic_free 1", "outline_free 2"]);
}

#[test]
fn a_part_that_could_not_be_made_leaves_nothing() {
    let _library = Library::start();
    let mut outline = new();
    let before = unlinked();
    next([Fail]);
    outline.topic(1).unwrap_err();
    assert_eq!(unlinked(), before);
    drop(outline);
    assert_eq!(log(), ["outline_free 1"]);
}

#[test]
fn a_topmost_part_without_a_parent_is_linked() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    let one = topic(&tree, 1);
    add(&tree, root, one);
    log();
    // The former root is returned, and unlinked.
    let mut owner = tree.edit_owner();
    let former = owner.set_root(Some(&mut tree.edit(one).unwrap())).unwrap();
    assert_eq!(former, Some(root));
    assert_eq!(tree.owner().root(), Some(one));
    drop(outline);
    assert_eq!(log(), ["topic_free 0", "outline_free 2"]);
}

#[test]
fn what_is_unlinked_is_released_before_c_ends_the_owner() {
    let _library = Library::start();
    let before = unlinked();
    for number in [1, -1] {
        let mut outline = new();
        outline.topic(1).unwrap();
        assert_eq!(Outline::end(outline, number).is_ok(), number > 0);
        assert_eq!(log(), ["topic_new 1", "topic_free 1", "outline_free 2"]);
        assert_eq!(unlinked(), before);
    }
}

#[test]
fn a_body_unlinks_what_it_finds() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let root = tree.owner().root().unwrap();
    for number in 1..=3 {
        add(&tree, root, topic(&tree, number));
    }
    log();
    tree.edit(root).unwrap().clear().unwrap();
    assert_eq!(root.first(), None);
    outline.release_unlinked();
    assert_eq!(log(), ["topic_free 3", "topic_free 2", "topic_free 1"]);
}

#[test]
fn a_part_of_another_owner_is_not_edited() {
    let _library = Library::start();
    let (mut outline, mut other) = (new(), new());
    let foreign = other.topic(1).unwrap();
    let tree = Tree::of(&mut *outline);
    let error = tree.edit(foreign).unwrap_err();
    assert_eq!(error.to_string(), "this Topic belongs to another Outline");
}

#[test]
fn a_part_that_a_call_has_by_mut_is_no_other_argument() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let one = topic(&tree, 1);
    let (mut first, mut second) = (tree.edit(one).unwrap(), tree.edit(one).unwrap());
    let heading = one.get().heading();
    for refused in [
        first.add(&mut second),
        one.take_out(&mut first),
        first.add_to(&heading),
    ] {
        assert!(matches!(refused, Err(Error::Busy("Topic"))), "{refused:?}");
    }
    assert_eq!((one.first(), one.parent()), (None, None));
    let two = topic(&tree, 2);
    one.take_out(&mut tree.edit(two).unwrap()).unwrap();
    tree.edit(two).unwrap().add_to(&heading).unwrap();
    assert_eq!(one.first(), Some(two));
}

#[test]
fn a_deep_subtree_is_released_without_recursion() {
    let _library = Library::start();
    let mut outline = new();
    let tree = Tree::of(&mut *outline);
    let mut here = topic(&tree, 0);
    for number in 1..10_000 {
        let below = topic(&tree, number);
        add(&tree, here, below);
        here = below;
    }
    log();
    outline.release_unlinked();
    assert_eq!(outline.released(), 10_000);
}

#[test]
fn a_part_that_c_keeps_no_longer_is_released() {
    let _library = Library::start();
    let mut outline = new();
    let before = unlinked();
    let tree = Tree::of(&mut *outline);
    let (one, two) = (topic(&tree, 1), topic(&tree, 2));
    let mut bookmark = tree.owner().bookmark().unwrap();
    assert!(!tree.is_held(one));
    bookmark.set(one.get()).unwrap();
    assert!(tree.is_held(one));
    bookmark.set(two.get()).unwrap();
    assert!(tree.is_held(two) && !tree.is_held(one));
    assert_eq!(bookmark.number(), 2);
    log();
    drop(bookmark);
    assert_eq!(log(), ["bookmark_free 2"]);
    outline.release_unlinked();
    assert_eq!(log(), ["topic_free 2", "topic_free 1"]);
    assert_eq!(unlinked(), before);
}

#[test]
fn a_copy_of_another_shape_takes_no_objects() {
    let _library = Library::start();
    let (mut outline, mut other) = (new(), new());
    let (here, there) = (Tree::of(&mut *outline), Tree::of(&mut *other));
    let original = topic(&there, 1);
    let take = |copy| here.adopt_objects(&there, &[(original, copy)]);
    let shape = "the copy of this Topic has another shape";
    let alone = topic(&here, 1);
    take(alone).unwrap();
    // A topic below one of the two.
    add(&there, original, topic(&there, 2));
    assert_eq!(take(alone).unwrap_err().to_string(), shape);
    let copy = copy_of(&here, original);
    take(copy).unwrap();
    // One more beside, and one more in another list.
    add(&here, copy, topic(&here, 3));
    assert_eq!(take(copy).unwrap_err().to_string(), shape);
    add(&there, original, note(&there, 3));
    assert_eq!(take(copy).unwrap_err().to_string(), shape);
    add(&here, copy, note(&here, 3));
    add(&there, original, topic(&there, 3));
    take(copy).unwrap();
    // The shape ends with the part, whatever is beside it.
    let (original, copy) = (original.first().unwrap(), copy.first().unwrap());
    add(&there, original, topic(&there, 4));
    add(&here, copy, topic(&here, 4));
    here.adopt_objects(&there, &[(original, copy)]).unwrap();
    assert!(original.next().is_some());
}

#[test]
fn objects_are_taken_from_the_tree_that_the_call_names() {
    let _library = Library::start();
    let (mut outline, mut other) = (new(), new());
    let (here, there) = (Tree::of(&mut *outline), Tree::of(&mut *other));
    let (mine, yours) = (topic(&here, 1), topic(&there, 1));
    let foreign = "this Topic belongs to another Outline";
    for (original, copy) in [(mine, mine), (yours, yours), (mine, yours)] {
        let error = here.adopt_objects(&there, &[(original, copy)]).unwrap_err();
        assert_eq!(error.to_string(), foreign);
    }
    let error = here.adopt_objects(&here, &[(mine, mine)]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the original and the copy belong to the same Outline"
    );
    here.adopt_objects(&there, &[(yours, mine)]).unwrap();
}

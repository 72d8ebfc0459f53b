//! The exclusive use of a tree, in which each part can be changed.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::error::{Error, Result};
use crate::handle::kind::Id;
use crate::handle::{Borrowed, Handle, HasOwnerField, Owned, Part, Resource};
use crate::tree::copied::Copied;
use crate::tree::{TreeOwner, TreePart, unlinked};

/// A part and its copy in another tree.
type OriginalAndCopy<'a, N> = (Borrowed<'a, N>, Borrowed<'a, N>);

/// The exclusive use of a tree: any part of it can be changed, while others are looked at.
///
/// A method with `&mut self`, of the owner or of a part, has the whole tree for itself. `&mut self` gives access to one
/// part only; a `Tree` gives access to all. Parts that are found through the tree stay valid as long as it, also if
/// they are unlinked.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// #[handle(raw = ffi::outline, release = ffi::outline_free, tree)]
/// pub struct Outline;
///
/// #[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
///     parent = up, children = first, next = next, object = user, release = ffi::topic_free,
/// ))]
/// pub struct Topic;
///
/// #[methods(unsafe)]
/// impl Topic {
///     #[field(first)]
///     fn first(&self) -> Option<Borrowed<Topic>>;
///
///     #[rust_only]
///     #[calls(ffi::topic_unlink, fails = when(|_| false))]
///     fn unlink(&mut self) -> Result<()>;
///
///     /// Unlink all topics below this one.
///     fn clear(&mut self) -> Result<()> {
///         let (tree, this) = Tree::around(self)?;
///         while let Some(first) = this.first() {
///             tree.edit(first)?.unlink()?;
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
pub struct Tree<'t, O: TreeOwner> {
    owner: NonNull<O::Raw>,
    _exclusive: PhantomData<&'t mut O>,
}

impl<'t, O: TreeOwner> Tree<'t, O> {
    /// Returns the tree of `owner`.
    pub fn of(owner: &'t mut O) -> Self {
        Tree {
            owner: Borrowed::from(&*owner).raw(),
            _exclusive: PhantomData,
        }
    }

    /// Returns the tree that `part` belongs to, and `part` as a part of it.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if the part belongs to no owner.
    pub fn around<N>(part: &'t mut N) -> Result<(Self, Borrowed<'t, N>)>
    where
        N: HasOwnerField + Part<Owner = O>,
        O: TreeOwner<Node = N>,
    {
        let part = Borrowed::from(&*part).raw();
        // SAFETY: guarantee 3: the part is borrowed, and so it is valid.
        let owner = unsafe { O::Node::owner_of(part.as_ptr()) };
        let owner = NonNull::new(owner).ok_or_else(|| {
            Error::Value(format!("this {} belongs to no {}", O::Node::NAME, O::NAME))
        })?;
        let tree = Tree {
            owner,
            _exclusive: PhantomData,
        };
        // SAFETY: guarantee 3: the part is borrowed for `'t`, during which no part of the tree is released.
        let part = unsafe { Borrowed::from_raw(part.as_ptr()) };
        let part = part.unwrap_or_else(|| unreachable!("a reference is not null"));
        Ok((tree, part))
    }

    /// Returns the tree, and the node in it that `part` is part of. `part` is a view of a node, such as the mapping of
    /// its attributes.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if there is no such part, or it belongs to no owner.
    pub fn around_owner_of<P, N>(part: &'t mut P) -> Result<(Self, Borrowed<'t, N>)>
    where
        P: HasOwnerField + Part<Owner = N>,
        N: HasOwnerField + Part<Owner = O>,
        O: TreeOwner<Node = N>,
    {
        let part = Borrowed::from(&*part).raw();
        // SAFETY: guarantee 3: the part is borrowed, and so it is valid.
        let owner = NonNull::new(unsafe { P::owner_of(part.as_ptr()) });
        let owner = owner
            .ok_or_else(|| Error::Value(format!("this {} belongs to no {}", P::NAME, N::NAME)))?;
        // SAFETY: guarantee 3: the part is borrowed exclusively for `'t`, and so is its owner.
        Self::around(unsafe { N::from_raw_mut(owner) })
    }

    /// Returns the owner of the tree.
    pub fn owner(&self) -> &'t O {
        // SAFETY: guarantee 3: the owner, or a part of it, is borrowed for `'t`.
        unsafe { O::from_raw(self.owner) }
    }

    /// Returns the owner, to call its methods with `&mut self`.
    pub fn edit_owner(&self) -> Editing<'_, O> {
        Editing {
            raw: self.owner,
            _tree: PhantomData,
        }
    }

    /// Returns a part, to call its methods with `&mut self`.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if the part belongs to another owner.
    pub fn edit(&self, part: Borrowed<'_, O::Node>) -> Result<Editing<'_, O::Node>> {
        Ok(Editing {
            raw: self.check_own(part)?,
            _tree: PhantomData,
        })
    }

    /// Returns whether anything but the tree has `part`: a Python object, or a [`KeptPart`](crate::KeptPart). A body
    /// that puts a new part in the place of one that nothing has may change that one instead.
    pub fn is_held(&self, part: Borrowed<'_, O::Node>) -> bool {
        let raw = part.raw();
        // SAFETY: guarantee 3: the part is borrowed, and so it is valid. guarantee 26: the tree is borrowed
        // exclusively, so nobody makes an object of the part meanwhile.
        let has_object = unsafe { !(*O::Node::object(raw.as_ptr())).is_null() };
        has_object || unlinked::is_kept(raw.as_ptr().cast())
    }

    fn check_own(&self, part: Borrowed<'_, O::Node>) -> Result<NonNull<<O::Node as Handle>::Raw>> {
        // SAFETY: guarantee 3: the part is borrowed, and so it is valid.
        let owner = unsafe { O::Node::owner_of(part.raw().as_ptr()) };
        match owner == self.owner.as_ptr() {
            true => Ok(part.raw()),
            false => Err(Error::Value(format!(
                "this {} belongs to another {}",
                O::Node::NAME,
                O::NAME
            ))),
        }
    }

    /// Lets this tree adopt parts of another owner: the Python object of each original becomes the object of its copy,
    /// and likewise for all parts below. `pairs` has originals of the tree `from` and their copies in this tree. First
    /// let C copy the parts, then call this, then unlink the originals, which are then released.
    ///
    /// From then on the objects keep the new owner alive. An iterator goes on behind an adopted part. A view of
    /// something in an adopted part becomes invalid, unless it has the part's address. A view of a part that was
    /// adopted earlier becomes invalid at the next adoption of any part. A result that the body took from an original
    /// cannot be returned to Python.
    ///
    /// Without Python there are no objects, and only the errors remain.
    ///
    /// ```
    /// # use leakproof::prelude::*;
    /// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
    /// # #[handle(raw = ffi::outline, release = ffi::outline_free, tree)]
    /// # pub struct Outline;
    /// #
    /// # #[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
    /// #     parent = up, children = first, next = next, object = user, release = ffi::topic_free,
    /// # ))]
    /// # pub struct Topic;
    /// #
    /// #[methods(unsafe)]
    /// impl Topic {
    ///     #[rust_only]
    ///     #[calls(ffi::topic_unlink, fails = when(|_| false))]
    ///     fn unlink(&mut self) -> Result<()>;
    /// }
    ///
    /// #[methods(unsafe)]
    /// impl Outline {
    ///     /// Copy a topic, with all below it.
    ///     #[rust_only]
    ///     #[calls(ffi::topic_copy, args = (topic, self), fails = null)]
    ///     fn copy(&mut self, topic: &Topic) -> Result<Borrowed<Topic>>;
    ///
    ///     /// Move a topic of another outline here.
    ///     #[foreign(topic)]
    ///     fn adopt(&mut self, topic: &mut Topic) -> Result<Borrowed<'_, Topic>> {
    ///         let (there, original) = Tree::around(topic)?;
    ///         let here = Tree::of(self);
    ///         let mut outline = here.edit_owner();
    ///         let copy = outline.copy(original.get())?;
    ///         here.adopt_objects(&there, &[(original, copy)])?;
    ///         there.edit(original)?.unlink()?;
    ///         copy.with_owner(here.owner())
    ///             .ok_or_else(|| Error::Value("a topic of another outline".into()))
    ///     }
    /// }
    /// # fn main() {}
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing has changed after an error. [`Error::Value`]:
    ///
    /// - an original does not belong to `from`, or a copy does not belong to this tree;
    /// - both trees are one;
    /// - a copy has another shape than its original;
    /// - a copy has a Python object already, or is that of several originals with objects;
    /// - the owners, or parts of them, are no arguments of the call from Python;
    /// - the thread gave up the GIL;
    /// - free-threaded Python has an object of an original.
    ///
    /// [`Error::OutOfMemory`] if there is no memory for the list of pairs.
    pub fn adopt_objects(
        &self,
        from: &Tree<'_, O>,
        pairs: &[OriginalAndCopy<'_, O::Node>],
    ) -> Result<()> {
        let kind = O::Node::kind();
        let Some(ops) = kind.tree() else {
            unreachable!("a part of a tree has the functions of one")
        };
        let mut tops = Vec::new();
        tops.try_reserve_exact(pairs.len())?;
        for (original, copy) in pairs {
            let (original, copy) = (from.check_own(*original)?, self.check_own(*copy)?);
            tops.push((original.as_ptr().cast(), copy.as_ptr().cast()));
        }
        let copied = Copied {
            kind,
            ops,
            tops: &tops,
            owners: (
                Id::new(O::kind(), from.owner.as_ptr().cast()),
                Id::new(O::kind(), self.owner.as_ptr().cast()),
            ),
        };
        // SAFETY: guarantee 26: both trees are borrowed exclusively, so all their parts are valid, and nobody else uses
        // them.
        unsafe { copied.adopt_objects() }
    }
}

impl<O: TreeOwner> fmt::Debug for Tree<'_, O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tree<{}>({:p})", O::NAME, self.owner)
    }
}

/// A part of a [`Tree`], or its owner, that can be changed.
pub struct Editing<'e, T: Handle> {
    raw: NonNull<T::Raw>,
    _tree: PhantomData<&'e T>,
}

impl<T: Handle> Deref for Editing<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: guarantee 3: the tree is borrowed, and no part of it is released meanwhile.
        unsafe { T::from_raw(self.raw) }
    }
}

impl<T: Handle> DerefMut for Editing<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: guarantee 26: the thread has the tree exclusively, and what others have of it stays valid.
        unsafe { T::from_raw_mut(self.raw) }
    }
}

impl<T: Handle> fmt::Debug for Editing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Editing<{}>({:p})", T::NAME, self.raw)
    }
}

impl<O: TreeOwner + Resource> Owned<'_, O> {
    /// Releases all parts that are unlinked, except those that C keeps ([`KeptPart`](crate::KeptPart)). Python does so
    /// by itself when the last object of such a part is gone; in Rust they stay until this is called, or the owner is
    /// released. While a callback has a part of the tree, nothing is released.
    pub fn release_unlinked(&mut self) {
        let owner = Id::of(&**self);
        // SAFETY: guarantee 26: the only owner is borrowed exclusively, so nobody uses a part. Python does not know the
        // owner, so it has no objects of the parts.
        unsafe { unlinked::settle_all(owner) };
    }
}

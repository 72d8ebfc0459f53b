//! The ways between the parts of a tree, and the release of a part, without the type of the parts.

use std::ffi::c_void;

/// Two parts of different trees.
pub(crate) type Pair = (*mut (), *mut ());

/// Two subtrees have not the same shape.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unlike;

/// The functions of a type of parts that move (`TreePart`), without the type.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct TreeOps {
    pub(crate) lists: usize,
    pub(crate) parent: unsafe fn(*mut ()) -> *mut (),
    pub(crate) next: unsafe fn(*mut ()) -> *mut (),
    pub(crate) first: unsafe fn(*mut (), usize) -> *mut (),
    pub(crate) is_root: unsafe fn(*mut (), *mut ()) -> bool,
    pub(crate) object: unsafe fn(*mut ()) -> *mut *mut c_void,
    pub(crate) release: unsafe fn(*mut ()),
}

/// The functions follow the fields of parts that the caller vouches for: each is valid, of the kind that these are the
/// functions of, and no other thread changes the tree meanwhile.
impl TreeOps {
    /// Returns whether the part is the topmost one of an unlinked subtree.
    ///
    /// # Safety
    ///
    /// The part is valid, and so is its owner.
    pub(crate) unsafe fn is_unlinked(&self, raw: *mut (), owner: *mut ()) -> bool {
        // SAFETY: the caller's promise.
        unsafe { (self.parent)(raw).is_null() && !(self.is_root)(raw, owner) }
    }

    /// Returns the parent of the part; null for the topmost part.
    ///
    /// # Safety
    ///
    /// The part is valid.
    pub(crate) unsafe fn parent(&self, raw: *mut ()) -> *mut () {
        // SAFETY: the caller's promise.
        unsafe { (self.parent)(raw) }
    }

    /// Returns the topmost part above this one, or the part itself.
    ///
    /// # Safety
    ///
    /// The part is valid, and so is its owner.
    pub(crate) unsafe fn topmost(&self, raw: *mut (), owner: *mut ()) -> *mut () {
        let mut here = raw;
        // The owner may be the parent of the topmost part, as a struct that begins like one.
        while here != owner {
            // SAFETY: the caller's promise; a parent of a valid part is valid.
            let parent = unsafe { (self.parent)(here) };
            if parent.is_null() {
                break;
            }
            here = parent;
        }
        here
    }

    /// Returns the field for the Python object of the part.
    ///
    /// # Safety
    ///
    /// The part is valid.
    pub(crate) unsafe fn object(&self, raw: *mut ()) -> *mut *mut c_void {
        // SAFETY: the caller's promise.
        unsafe { (self.object)(raw) }
    }

    /// Returns the part that follows `here` in the subtree of `top`: children come before siblings. `None` after the
    /// last one. Needs no memory, however deep the tree is.
    ///
    /// # Safety
    ///
    /// Both parts are valid, and `here` is in the subtree.
    pub(crate) unsafe fn next_within(&self, top: *mut (), here: *mut ()) -> Option<*mut ()> {
        let (mut here, mut list) = (here, 0);
        loop {
            for list in list..self.lists {
                // SAFETY: the caller's promise.
                let first = unsafe { (self.first)(here, list) };
                if !first.is_null() {
                    return Some(first);
                }
            }
            if here == top {
                return None;
            }
            // SAFETY: the caller's promise; parts beside and above a valid part are valid.
            unsafe {
                let next = (self.next)(here);
                if !next.is_null() {
                    return Some(next);
                }
                let parent = (self.parent)(here);
                list = self.list_that_ends_with(parent, here) + 1;
                here = parent;
            }
        }
    }

    /// Returns the two parts that follow `here` in the subtrees of `tops`, as [`next_within`](Self::next_within) does:
    /// both at the same place. `None` after the last ones.
    ///
    /// # Errors
    ///
    /// [`Unlike`] if only one of the subtrees has a part at that place.
    ///
    /// # Safety
    ///
    /// All parts are valid, and `here` are in the subtrees.
    pub(crate) unsafe fn next_of_pair(
        &self,
        tops: Pair,
        here: Pair,
    ) -> Result<Option<Pair>, Unlike> {
        fn both(pair: Pair) -> Result<Option<Pair>, Unlike> {
            match (pair.0.is_null(), pair.1.is_null()) {
                (true, true) => Ok(None),
                (false, false) => Ok(Some(pair)),
                _ => Err(Unlike),
            }
        }
        let (mut here, mut list) = (here, 0);
        loop {
            for list in list..self.lists {
                // SAFETY: the caller's promise.
                let first = unsafe { ((self.first)(here.0, list), (self.first)(here.1, list)) };
                if let Some(first) = both(first)? {
                    return Ok(Some(first));
                }
            }
            match (here.0 == tops.0, here.1 == tops.1) {
                (true, true) => return Ok(None),
                (false, false) => {}
                _ => return Err(Unlike),
            }
            // SAFETY: the caller's promise; parts beside and above a valid part are valid.
            unsafe {
                if let Some(next) = both(((self.next)(here.0), (self.next)(here.1)))? {
                    return Ok(Some(next));
                }
                let parents = ((self.parent)(here.0), (self.parent)(here.1));
                list = self.list_that_ends_with(parents.0, here.0);
                if list != self.list_that_ends_with(parents.1, here.1) {
                    return Err(Unlike);
                }
                (here, list) = (parents, list + 1);
            }
        }
    }

    /// Returns which list of `parent` ends with `last`.
    ///
    /// # Safety
    ///
    /// Both parts are valid, and `last` is the last part of a list of `parent`.
    unsafe fn list_that_ends_with(&self, parent: *mut (), last: *mut ()) -> usize {
        // One of them is it: the last list need not be looked at.
        for list in 0..self.lists.saturating_sub(1) {
            // SAFETY: the caller's promise; parts of a list of a valid part are valid.
            unsafe {
                let mut here = (self.first)(parent, list);
                while !here.is_null() {
                    if here == last {
                        return list;
                    }
                    here = (self.next)(here);
                }
            }
        }
        self.lists.saturating_sub(1)
    }

    /// Releases a part with all parts below it.
    ///
    /// # Safety
    ///
    /// The part is unlinked, nobody uses it or a part below it any more, and this is the only release.
    pub(crate) unsafe fn release(&self, raw: *mut ()) {
        // SAFETY: the caller's promise.
        unsafe { (self.release)(raw) };
    }
}

//! The ways between the parts of a tree, and the release of a part, without the type of the parts.

use std::ffi::c_void;

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

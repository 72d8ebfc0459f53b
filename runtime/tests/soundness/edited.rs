//! Trees whose owner is edited: a `Tree` gives out the owner several times, and no call of C has it as two arguments.

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, fault, release, touch};

    pub struct yard {
        pub first: *mut bush,
    }
    pub struct bush {
        pub yard: *mut yard,
        pub up: *mut bush,
        pub next: *mut bush,
        pub below: *mut bush,
        pub user: *mut c_void,
    }

    pub unsafe extern "C" fn yard_new() -> *mut yard {
        acquire("Yard", yard { first: null_mut() })
    }

    pub unsafe extern "C" fn yard_free(yard: *mut yard) {
        release(yard);
    }

    pub unsafe extern "C" fn bush_free(bush: *mut bush) {
        release(bush);
    }

    /// Moves what is in the other yard to this one.
    pub unsafe extern "C" fn yard_merge(yard: *mut yard, other: *mut yard) -> c_int {
        touch(yard);
        touch(other);
        if yard == other {
            fault("a yard is changed, and is another argument");
        }
        0
    }
}

#[handle(raw = ffi::yard, release = ffi::yard_free, tree, fork_safe)]
struct Yard;

#[handle(raw = ffi::bush, part_of = Yard, owner_field = yard, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::bush_free,
    root = first,
))]
struct Bush;

#[methods(unsafe, rust_only)]
impl Yard {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Yard>>;

    #[calls(ffi::yard_merge, fails = nonzero)]
    fn take(&mut self, other: &mut Yard) -> Result<()>;

    #[calls(ffi::yard_merge, fails = nonzero)]
    fn copy(&mut self, other: &Yard) -> Result<()>;

    #[calls(ffi::yard_merge, fails = nonzero)]
    fn copy_perhaps(&mut self, other: Option<&Yard>) -> Result<()>;

    #[calls(ffi::yard_merge, args = (other, self), fails = nonzero)]
    fn give(&self, other: &mut Yard) -> Result<()>;
}

#[test]
fn owner_of_a_tree_is_not_changed_by_a_call_that_has_it_as_another_argument() {
    let _native = Native::start();
    let mut yard = Yard::new().unwrap();
    let tree = Tree::of(&mut *yard);
    let (mut yard, mut again) = (tree.edit_owner(), tree.edit_owner());
    let refusals = [
        yard.take(&mut again),
        yard.copy(tree.owner()),
        yard.copy_perhaps(Some(tree.owner())),
        tree.owner().give(&mut yard),
    ];
    for refused in refusals {
        assert!(matches!(refused, Err(Error::Busy("Yard"))), "{refused:?}");
    }
}

#[test]
fn owners_of_two_trees_are_arguments_of_one_call() {
    let _native = Native::start();
    let (mut yard, mut other) = (Yard::new().unwrap(), Yard::new().unwrap());
    let (here, there) = (Tree::of(&mut *yard), Tree::of(&mut *other));
    let (mut yard, mut other) = (here.edit_owner(), there.edit_owner());
    yard.take(&mut other).unwrap();
    yard.copy(&other).unwrap();
    other.give(&mut yard).unwrap();
}

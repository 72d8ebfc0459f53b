//! Handles that C keeps in another one, as parameters of callbacks: the callback uses that one, too.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release};

    pub type see = Option<unsafe extern "C" fn(*mut leaf, *mut c_void)>;

    pub struct tree {
        pub leaf: *mut leaf,
        pub height: c_int,
    }
    pub struct leaf {
        pub tree: *mut tree,
    }

    pub unsafe extern "C" fn tree_new() -> *mut tree {
        acquire(
            "Tree",
            tree {
                leaf: null_mut(),
                height: 1,
            },
        )
    }

    pub unsafe extern "C" fn leaf_new() -> *mut leaf {
        acquire("Leaf", leaf { tree: null_mut() })
    }

    pub unsafe extern "C" fn leaf_free(leaf: *mut leaf) {
        release(leaf);
    }

    pub unsafe extern "C" fn leaf_height(leaf: *const leaf) -> c_int {
        unsafe { (*(*leaf).tree).height }
    }

    pub unsafe extern "C" fn tree_append(tree: *mut tree, leaf: *mut leaf) {
        unsafe { (*tree).leaf = leaf };
        unsafe { (*leaf).tree = tree };
    }

    pub unsafe extern "C" fn tree_clear(tree: *mut tree) -> c_int {
        unsafe { leaf_free((*tree).leaf) };
        unsafe { (*tree).leaf = null_mut() };
        0
    }

    /// Nothing may read the tree meanwhile.
    pub unsafe extern "C" fn tree_rebuild(tree: *mut tree, see: see, data: *mut c_void) -> c_int {
        unsafe { (*tree).height = -1 };
        unsafe { see.unwrap()((*tree).leaf, data) };
        unsafe { (*tree).height = 2 };
        0
    }

    pub unsafe extern "C" fn tree_free(tree: *mut tree) {
        unsafe {
            if !(*tree).leaf.is_null() {
                leaf_free((*tree).leaf);
            }
        }
        release(tree);
    }

    /// Shows the leaf that was made by this thread's tree.
    pub unsafe extern "C" fn show(leaf: usize, see: see, data: *mut c_void) {
        unsafe { see.unwrap()(std::ptr::with_exposed_provenance_mut(leaf), data) };
    }

    pub unsafe extern "C" fn tree_leaf(tree: *const tree) -> usize {
        unsafe { (*tree).leaf.expose_provenance() }
    }
}

#[handle(raw = ffi::tree, release = ffi::tree_free, fork_safe)]
struct Tree;

#[handle(raw = ffi::leaf, release = ffi::leaf_free, fork_safe)]
struct Leaf;

thread_local! {
    static TREE: RefCell<Option<Owned<'static, Tree>>> = const { RefCell::new(None) };
    static CLEARS: RefCell<bool> = const { RefCell::new(false) };
}

#[derive(Attachment)]
struct See;

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (leaf, data))]
    fn see(&self, leaf: &Leaf) {
        if CLEARS.take() {
            let refused = TREE.with_borrow_mut(|tree| tree.as_mut().unwrap().clear());
            assert!(matches!(refused, Err(Error::Busy("Tree"))), "{refused:?}");
        }
        // The release waits for the callback.
        drop(TREE.take());
        assert_eq!(log(), [""; 0]);
        assert_eq!(leaf.height(), 1);
    }
}

#[methods(unsafe, rust_only)]
impl Tree {
    #[calls(ffi::tree_new, fails = null)]
    fn new() -> Result<Owned<Tree>>;

    #[calls(ffi::tree_append)]
    fn append(&self, leaf: Owned<Leaf>);

    #[calls(ffi::tree_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;

    #[calls(ffi::tree_rebuild, args = (self, see.see, see.data), fails = nonzero)]
    fn rebuild(&mut self, see: &See) -> Result<()>;

    #[calls(ffi::tree_leaf)]
    fn leaf(&self) -> usize;
}

#[methods(unsafe, rust_only)]
impl Leaf {
    #[calls(ffi::leaf_new, fails = null)]
    fn new() -> Result<Owned<Leaf>>;

    #[calls(ffi::leaf_height)]
    fn height(&self) -> i32;

    #[calls(ffi::show, args = (leaf, see.see, see.data))]
    fn show(leaf: usize, see: &See);
}

fn tree() -> Owned<'static, Tree> {
    let tree = Tree::new().unwrap();
    tree.append(Leaf::new().unwrap());
    tree
}

#[test]
fn kept_handle_is_not_lent_while_a_call_has_its_keeper_alone() {
    let _native = Native::start();
    let mut tree = tree();
    let refused = tree.rebuild(&See);
    assert!(matches!(refused, Err(Error::Busy("Tree"))), "{refused:?}");
}

#[test]
fn keeper_is_neither_changed_nor_released_while_a_callback_has_what_it_keeps() {
    let _native = Native::start();
    let tree = tree();
    let leaf = tree.leaf();
    TREE.set(Some(tree));
    CLEARS.set(true);
    Leaf::show(leaf, &See);
    assert_eq!(log(), ["release Leaf", "release Tree"]);
}

//! Code of the author's that runs within a call does not edit a tree, which a `Tree` in a variable of the thread lets
//! it reach: the call has what lies in the tree.
//!
//! The process in which C never calls back runs these tests, too: the calls are then in no table.

use std::cell::RefCell;

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

    use crate::native::{acquire, release, touch};

    pub struct park {
        pub first: *mut oak,
    }
    pub struct oak {
        pub park: *mut park,
        pub up: *mut oak,
        pub next: *mut oak,
        pub below: *mut oak,
        pub user: *mut c_void,
        pub height: c_int,
        pub sign: *mut u8,
    }
    pub struct saw {
        park: *mut park,
    }

    fn sign(text: [u8; 4]) -> *mut u8 {
        acquire("Sign", text).cast()
    }

    /// A park with an oak.
    pub unsafe extern "C" fn park_new() -> *mut park {
        let park = acquire("Park", park { first: null_mut() });
        let oak = oak {
            park,
            up: null_mut(),
            next: null_mut(),
            below: null_mut(),
            user: null_mut(),
            height: 9,
            sign: sign(*b"keep"),
        };
        unsafe { (*park).first = acquire("Oak", oak) };
        park
    }

    pub unsafe extern "C" fn park_free(park: *mut park) {
        unsafe { oak_free((*park).first) };
        release(park);
    }

    pub unsafe extern "C" fn oak_free(oak: *mut oak) {
        release(unsafe { (*oak).sign.cast::<[u8; 4]>() });
        release(oak);
    }

    pub unsafe extern "C" fn oak_sign(oak: *mut oak) -> *mut u8 {
        touch(oak);
        unsafe { (*oak).sign }
    }

    pub unsafe extern "C" fn sign_len(_: *mut oak) -> usize {
        4
    }

    /// Frees the old sign.
    pub unsafe extern "C" fn oak_cut(oak: *mut oak) -> c_int {
        touch(oak);
        unsafe { (*oak).sign.cast::<[u8; 4]>().write(*b"gone") };
        release(unsafe { (*oak).sign.cast::<[u8; 4]>() });
        unsafe { (*oak).sign = sign(*b"free") };
        0
    }

    pub unsafe extern "C" fn park_cut(park: *mut park) {
        unsafe { oak_cut((*park).first) };
    }

    pub unsafe extern "C" fn saw_new(park: *mut park) -> *mut saw {
        acquire("Saw", saw { park })
    }

    pub unsafe extern "C" fn saw_free(saw: *mut saw) {
        release(saw);
    }

    pub unsafe extern "C" fn saw_cut(saw: *mut saw) -> c_int {
        unsafe { park_cut((*saw).park) };
        0
    }
}

#[handle(raw = ffi::park, release = ffi::park_free, tree, fork_safe)]
struct Park;

#[handle(raw = ffi::oak, part_of = Park, owner_field = park, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::oak_free,
    root = first,
))]
struct Oak;

#[handle(raw = ffi::saw, release = ffi::saw_free, parent = Park, mut_parent, fork_safe)]
struct Saw;

type Edit = fn(&'static Tree<'static, Park>) -> Result<()>;

thread_local! {
    /// The edit that the author's code makes next, and what came of it.
    static EDIT: RefCell<Option<(Edit, &'static Tree<'static, Park>)>> = const { RefCell::new(None) };
    static CAME: RefCell<Option<Result<()>>> = const { RefCell::new(None) };
}

fn code<R>(value: R) -> R {
    if let Some((edit, tree)) = EDIT.take() {
        CAME.set(Some(edit(tree)));
    }
    value
}

#[methods(unsafe, rust_only)]
impl Park {
    #[calls(ffi::park_new, fails = null)]
    fn new() -> Result<Owned<Park>>;

    #[field(first)]
    fn first(&self) -> Option<Borrowed<Oak>>;

    #[calls(ffi::park_cut)]
    fn cut(&mut self);

    #[calls(ffi::saw_new, fails = null)]
    fn saw(&mut self) -> Result<Owned<Saw>>;
}

#[methods(unsafe, rust_only)]
impl Saw {
    #[calls(ffi::saw_cut, fails = nonzero)]
    fn cut(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Oak {
    #[calls(ffi::oak_sign, len = |_| code(4), borrowed)]
    fn sign(&self) -> Option<Bytes>;

    #[calls(ffi::oak_sign, len = ffi::sign_len, fails = when(|sign: *mut u8| code(sign).is_null()), borrowed)]
    fn tested_sign(&self) -> Result<Bytes>;

    #[field(sign, len = |_| code(4))]
    fn sign_in_field(&self) -> Option<Bytes>;

    #[calls(ffi::oak_cut, fails = nonzero)]
    fn cut(&mut self) -> Result<()>;

    #[field(height)]
    fn set_height(&mut self, height: i32);
}

/// Edits the tree by a handle that lives in it.
fn saw(tree: &'static Tree<'static, Park>) -> Result<()> {
    let mut park = tree.edit_owner();
    let mut saw = park.saw()?;
    saw.cut()
}

/// Edits a part by a field.
fn fell(tree: &'static Tree<'static, Park>) -> Result<()> {
    let mut oak = tree.edit(tree.owner().first().unwrap())?;
    let refused = crate::panic_of(|| oak.set_height(1));
    assert_eq!(refused, Error::Busy("Oak").to_string());
    Err(Error::Busy("Oak"))
}

/// Edits the tree by a call that cannot fail.
fn cut_all(tree: &'static Tree<'static, Park>) -> Result<()> {
    let refused = crate::panic_of(|| tree.edit_owner().cut());
    assert_eq!(refused, Error::Busy("Park").to_string());
    Err(Error::Busy("Park"))
}

#[test]
fn code_in_a_call_does_not_edit_the_tree_that_the_call_reads() {
    let edits: [Edit; 4] = [
        |tree| tree.edit(tree.owner().first().unwrap())?.cut(),
        fell,
        saw,
        cut_all,
    ];
    let reads: [fn(&Oak) -> Bytes; 3] = [
        |oak| oak.sign().unwrap(),
        |oak| oak.tested_sign().unwrap(),
        |oak| oak.sign_in_field().unwrap(),
    ];
    for (edit, read) in edits
        .into_iter()
        .flat_map(|edit| reads.map(|read| (edit, read)))
    {
        let _native = Native::start();
        let park = Box::into_raw(Box::new(Park::new().unwrap()));
        // SAFETY: the box was leaked above, and nothing else uses it.
        let borrowed: &'static mut Owned<'static, Park> = unsafe { &mut *park };
        let tree = Box::into_raw(Box::new(Tree::of(&mut **borrowed)));
        // SAFETY: the box was leaked above, and is freed when nothing borrows it any more.
        let borrowed: &'static Tree<'static, Park> = unsafe { &*tree };
        EDIT.set(Some((edit, borrowed)));
        assert_eq!(read(borrowed.owner().first().unwrap().get()).0, b"keep");
        let refused = CAME.take().unwrap();
        assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
        // SAFETY: the boxes were leaked above, and nothing borrows them any more.
        drop(unsafe { (Box::from_raw(tree), Box::from_raw(park)) });
    }
}

//! Callbacks and handles that C has until others replace them, where the author's code replaces them while a call is
//! prepared that does so, too.

use std::cell::Cell;

use leakproof::prelude::*;

use crate::native::{Native, log, note};

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

    pub type ring = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct bell {
        pub first: *mut clapper,
        ring: ring,
        data: *mut c_void,
        rope: *mut rope,
    }
    /// A part of a bell. There is none.
    pub struct clapper {
        pub bell: *mut bell,
        pub up: *mut clapper,
        pub next: *mut clapper,
        pub below: *mut clapper,
        pub user: *mut c_void,
    }
    pub struct rope {
        _length: c_int,
    }

    pub unsafe extern "C" fn bell_new() -> *mut bell {
        let bell = bell {
            first: null_mut(),
            ring: None,
            data: null_mut(),
            rope: null_mut(),
        };
        acquire("Bell", bell)
    }

    pub unsafe extern "C" fn bell_free(bell: *mut bell) {
        release(bell);
    }

    pub unsafe extern "C" fn bell_set(bell: *mut bell, ring: ring, data: *mut c_void, _: c_int) {
        unsafe { ((*bell).ring, (*bell).data) = (ring, data) };
    }

    pub unsafe extern "C" fn bell_ring(bell: *mut bell) {
        if let (Some(ring), data) = unsafe { ((*bell).ring, (*bell).data) } {
            unsafe { ring(data) };
        }
    }

    pub unsafe extern "C" fn clapper_free(_: *mut clapper) {}

    pub unsafe extern "C" fn rope_new() -> *mut rope {
        acquire("Rope", rope { _length: 1 })
    }

    pub unsafe extern "C" fn rope_free(rope: *mut rope) {
        release(rope);
    }

    pub unsafe extern "C" fn bell_hang(bell: *mut bell, rope: *mut rope, _: c_int) {
        touch(rope);
        unsafe { (*bell).rope = rope };
    }

    pub unsafe extern "C" fn bell_pull(bell: *mut bell) {
        touch(unsafe { (*bell).rope });
    }
}

#[handle(raw = ffi::bell, release = ffi::bell_free, tree, attachments, fork_safe)]
struct Bell;

#[handle(raw = ffi::clapper, part_of = Bell, owner_field = bell, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::clapper_free,
    root = first,
))]
struct Clapper;

#[handle(raw = ffi::rope, release = ffi::rope_free, fork_safe)]
struct Rope;

/// A ring with a name in memory of its own.
#[derive(Attachment)]
struct Ring(String);

impl Ring {
    fn named(name: &str) -> Self {
        Ring(name.into())
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        note(format!("{} is dropped", self.0));
    }
}

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::ring, args = (data))]
    fn ring(&self) {
        note(format!("{} rings", self.0));
    }
}

thread_local! {
    /// The tree of the bell, which gives out the bell several times.
    static TREE: Cell<Option<&'static Tree<'static, Bell>>> = const { Cell::new(None) };
}

fn meanwhile(use_it: impl FnOnce(&mut Bell)) {
    use_it(&mut TREE.get().unwrap().edit_owner());
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(ffi::bell_set, args = (self, ring.ring, ring.data, {
        if let Some(name) = inner {
            meanwhile(|bell| bell.set(Ring::named(name), None));
        }
        0
    }), scope = until_replaced)]
    fn set(&mut self, ring: Ring, inner: Option<&str>);

    #[calls(ffi::bell_ring)]
    fn ring(&mut self);

    #[calls(ffi::bell_hang, args = (self, rope, {
        if again {
            meanwhile(|bell| bell.hang(Rope::new().unwrap(), false));
        }
        0
    }), scope = until_replaced)]
    fn hang(&mut self, rope: Owned<Rope>, again: bool);

    #[calls(ffi::bell_pull)]
    fn pull(&mut self);
}

#[methods(unsafe, rust_only)]
impl Rope {
    #[calls(ffi::rope_new, fails = null)]
    fn new() -> Result<Owned<Rope>>;
}

/// Runs `test` with a tree that code within a call reaches, too.
fn with_tree(test: fn(&'static Tree<'static, Bell>)) {
    let bell = Box::into_raw(Box::new(Bell::new().unwrap()));
    // SAFETY: the box was leaked above, and nothing else uses it.
    let borrowed: &'static mut Owned<'static, Bell> = unsafe { &mut *bell };
    let tree = Box::into_raw(Box::new(Tree::of(&mut **borrowed)));
    // SAFETY: the box was leaked above, and is freed when nothing borrows it any more.
    let borrowed: &'static Tree<'static, Bell> = unsafe { &*tree };
    TREE.set(Some(borrowed));
    test(borrowed);
    TREE.set(None);
    // SAFETY: the boxes were leaked above, and nothing borrows them any more.
    drop(unsafe { (Box::from_raw(tree), Box::from_raw(bell)) });
}

#[test]
fn callback_stays_where_an_argument_of_its_call_replaces_the_one_before() {
    let _native = Native::start();
    with_tree(|tree| {
        tree.edit_owner().set(Ring::named("first"), None);
        tree.edit_owner().set(Ring::named("outer"), Some("inner"));
        tree.edit_owner().ring();
    });
    assert_eq!(
        log(),
        [
            "first is dropped",
            "inner is dropped",
            "outer rings",
            "release Bell",
            "outer is dropped"
        ]
    );
}

#[test]
fn kept_handle_stays_where_an_argument_of_its_call_replaces_the_one_before() {
    let _native = Native::start();
    with_tree(|tree| {
        tree.edit_owner().hang(Rope::new().unwrap(), true);
        tree.edit_owner().pull();
    });
    assert_eq!(log(), ["release Rope", "release Bell", "release Rope"]);
}

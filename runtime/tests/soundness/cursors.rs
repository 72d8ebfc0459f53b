//! Children whose exclusive calls change what their parent lends (`mut_parent`), and that C keeps in other handles:
//! calls on those change it, too.

use leakproof::prelude::*;

use crate::native::{Native, log};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::null_mut;

    use crate::native::{acquire, note, release, touch};

    pub struct store {
        pub kept: *mut cursor,
        label: label,
    }
    /// A part of a store.
    pub struct label {
        pub store: *mut store,
    }
    pub struct cursor {
        store: *mut store,
    }
    pub struct batch {
        pub kept: *mut cursor,
    }

    pub unsafe extern "C" fn store_new() -> *mut store {
        let (kept, label) = (null_mut(), label { store: null_mut() });
        let store = acquire("Store", store { kept, label });
        unsafe { (*store).label.store = store };
        store
    }

    pub unsafe extern "C" fn store_label(store: *mut store) -> *mut label {
        unsafe { &raw mut (*store).label }
    }

    pub unsafe extern "C" fn cursor_mark(_: *const cursor, _: *const label) -> c_int {
        note("mark");
        0
    }

    pub unsafe extern "C" fn store_free(store: *mut store) {
        free(unsafe { (*store).kept });
        release(store);
    }

    pub unsafe extern "C" fn store_cursor(store: *mut store) -> *mut cursor {
        acquire("Cursor", cursor { store })
    }

    pub unsafe extern "C" fn store_batch(_: *mut store) -> *mut batch {
        acquire("Batch", batch { kept: null_mut() })
    }

    pub unsafe extern "C" fn store_keep(store: *mut store, cursor: *mut cursor) -> c_int {
        note("keep");
        unsafe { (*store).kept = cursor };
        0
    }

    fn free(cursor: *mut cursor) {
        if !cursor.is_null() {
            unsafe { cursor_free(cursor) };
        }
    }

    pub unsafe extern "C" fn cursor_free(cursor: *mut cursor) {
        touch(unsafe { (*cursor).store });
        release(cursor);
    }

    pub unsafe extern "C" fn batch_add(batch: *mut batch, cursor: *mut cursor) {
        note("add");
        unsafe { (*batch).kept = cursor };
    }

    pub struct cart {
        _size: u8,
    }

    pub unsafe extern "C" fn cart_new() -> *mut cart {
        acquire("Cart", cart { _size: 0 })
    }

    pub unsafe extern "C" fn cart_free(cart: *mut cart) {
        release(cart);
    }

    pub unsafe extern "C" fn cart_carry(
        _: *mut cart,
        cursor: *const cursor,
        batch: *const batch,
    ) -> c_int {
        note("carry");
        c_int::from(cursor.is_null() || batch.is_null())
    }

    pub unsafe extern "C" fn batch_free(batch: *mut batch) {
        free(unsafe { (*batch).kept });
        release(batch);
    }
}

#[handle(raw = ffi::store, release = ffi::store_free, lends, fork_safe)]
struct Store;

#[handle(raw = ffi::cursor, release = ffi::cursor_free, parent = Store, mut_parent, fork_safe)]
struct Cursor;

#[handle(raw = ffi::batch, release = ffi::batch_free, parent = Store, mut_parent, fork_safe)]
struct Batch;

/// A label on a store.
#[handle(raw = ffi::label, part_of = Store, owner_field = store)]
struct Label;

/// A cart, which lives in no store.
#[handle(raw = ffi::cart, release = ffi::cart_free, fork_safe)]
struct Cart;

#[methods(unsafe, rust_only)]
impl Cart {
    #[calls(ffi::cart_new, fails = null)]
    fn new() -> Result<Owned<Cart>>;

    #[calls(ffi::cart_carry, fails = nonzero)]
    fn carry(&self, cursor: &Cursor, batch: &Batch) -> Result<()>;

    #[calls(ffi::cart_carry, fails = nonzero)]
    fn carry_by(cart: Option<&Cart>, cursor: &Cursor, batch: &Batch) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::store_new, fails = null)]
    fn new() -> Result<Owned<Store>>;

    #[calls(ffi::store_cursor, fails = null)]
    fn cursor(&mut self) -> Result<Owned<Cursor>>;

    #[calls(ffi::store_batch, fails = null)]
    fn batch(&mut self) -> Result<Owned<Batch>>;

    #[calls(ffi::store_keep, fails = nonzero, consumes = always)]
    fn keep(&self, cursor: Owned<Cursor>) -> Result<()>;

    #[calls(ffi::store_label)]
    fn label(&self) -> Option<Borrowed<Label>>;
}

#[methods(unsafe, rust_only)]
impl Cursor {
    #[calls(ffi::cursor_mark, fails = nonzero)]
    fn mark(&self, label: &Label) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Batch {
    #[foreign(cursor)]
    #[calls(ffi::batch_add)]
    fn add(&mut self, cursor: Owned<Cursor>);

    #[calls(ffi::batch_add)]
    fn add_own(&mut self, cursor: Owned<Cursor>);
}

const REFUSED: &str = "a Cursor cannot be given to a Batch that lives in another handle than the Cursor: calls on the Batch \
                       would change what others use";

#[test]
fn cursor_is_not_given_to_what_lives_in_another_store() {
    let _native = Native::start();
    let (mut store, mut other) = (Store::new().unwrap(), Store::new().unwrap());
    let mut batch = other.batch().unwrap();
    let cursor = store.cursor().unwrap();
    assert_eq!(panic_of(|| batch.add(cursor)), REFUSED);
    // C has not got it.
    assert_eq!(log(), ["release Cursor"]);
}

#[test]
fn handles_of_one_call_live_in_the_same_store() {
    let _native = Native::start();
    let (mut store, mut other) = (Store::new().unwrap(), Store::new().unwrap());
    let mut batch = other.batch().unwrap();
    let cursor = store.cursor().unwrap();
    let stranger = "the Cursor belongs to another Store than the Batch";
    assert_eq!(panic_of(|| batch.add_own(cursor)), stranger);
    assert_eq!(log(), ["release Cursor"]);
    drop(batch);
    log();
    let cursor = store.cursor().unwrap();
    let error = other.keep(cursor).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the Cursor belongs to another Store than the Store"
    );
    assert_eq!(log(), ["release Cursor"]);
}

#[test]
fn arguments_live_in_the_same_store_where_the_receiver_lives_in_none() {
    let _native = Native::start();
    let (mut store, mut other) = (Store::new().unwrap(), Store::new().unwrap());
    let (cursor, batch) = (store.cursor().unwrap(), other.batch().unwrap());
    let cart = Cart::new().unwrap();
    for refused in [
        cart.carry(&cursor, &batch),
        Cart::carry_by(None, &cursor, &batch),
    ] {
        let error = refused.unwrap_err();
        let stranger = "the Batch belongs to another Store than the Cursor";
        assert_eq!(error.to_string(), stranger);
    }
    assert_eq!(log(), [""; 0]);
}

#[test]
fn cursor_is_not_given_to_another_store() {
    let _native = Native::start();
    let (mut store, other) = (Store::new().unwrap(), Store::new().unwrap());
    let refused = other.keep(store.cursor().unwrap());
    assert!(matches!(refused, Err(Error::Value(_))), "{refused:?}");
    assert_eq!(log(), ["release Cursor"]);
}

#[test]
fn part_of_another_store_is_not_passed_with_a_cursor() {
    let _native = Native::start();
    let (mut store, other) = (Store::new().unwrap(), Store::new().unwrap());
    let cursor = store.cursor().unwrap();
    let error = cursor.mark(&other.label().unwrap()).unwrap_err();
    let stranger = "the Label belongs to another Store than the Cursor";
    assert_eq!(error.to_string(), stranger);
    assert_eq!(log(), [""; 0]);
}

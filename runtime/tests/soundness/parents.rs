//! Children whose release needs their parent, whatever form the result has that they come in.

use leakproof::prelude::*;

use crate::native::{self, Native};

#[allow(non_camel_case_types, reason = "as bindgen names C types")]
mod ffi {
    use std::ffi::c_int;

    use crate::native;

    pub(super) struct pool {
        _size: u8,
    }
    pub(super) struct item {
        _size: u8,
    }

    pub(super) unsafe extern "C" fn pool_new() -> *mut pool {
        native::acquire("Pool", pool { _size: 0 })
    }

    pub(super) unsafe extern "C" fn pool_free(pool: *mut pool) {
        native::release(pool);
    }

    pub(super) unsafe extern "C" fn pool_item(
        pool: *mut pool,
        item: *mut *mut item,
        place: *mut c_int,
    ) -> c_int {
        native::touch(pool);
        // SAFETY: the caller passes places to write to.
        unsafe {
            *item = native::acquire("Item", self::item { _size: 0 });
            *place = 7;
        }
        0
    }

    pub(super) unsafe extern "C" fn pool_items(
        pool: *mut pool,
        count: *mut usize,
    ) -> *mut *mut item {
        native::touch(pool);
        let items = [(); 2].map(|()| native::acquire("Item", item { _size: 0 }));
        // SAFETY: the caller passes a place to write to.
        unsafe { *count = items.len() };
        Box::into_raw(Box::new(items)).cast()
    }

    pub(super) unsafe extern "C" fn items_free(items: *mut *mut item) {
        // SAFETY: `pool_items` made the array.
        drop(unsafe { Box::from_raw(items.cast::<[*mut item; 2]>()) });
    }

    pub(super) unsafe extern "C" fn item_free(pool: *mut pool, item: *mut item) {
        native::touch(pool);
        native::release(item);
    }
}

#[handle(raw = ffi::pool, release = ffi::pool_free, fork_safe)]
struct Pool;

#[handle(raw = ffi::item, release(ffi::item_free, args = (parent, self)), parent = Pool, fork_safe)]
struct Item;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_item, args = (self, out, out), fails = nonzero, on_failure = null)]
    fn item_and_place(&self) -> Result<(Owned<Item>, i32)>;

    #[calls(
        ffi::pool_item,
        args = (self, out, out),
        fails = nonzero,
        none = when(|ret| ret == 1),
        on_failure = null
    )]
    fn item_and_place_if_any(&self) -> Result<Option<(Owned<Item>, i32)>>;

    #[calls(ffi::pool_items, args = (self, len), free = ffi::items_free)]
    fn items(&self) -> Vec<Owned<Item>>;
}

#[test]
fn child_in_a_tuple_is_released_by_its_parent() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let (item, place) = pool.item_and_place().unwrap();
    assert_eq!(place, 7);
    drop(item);
    let made = pool.item_and_place_if_any().unwrap();
    assert_eq!(native::live("Item"), 1);
    drop(made);
    assert_eq!(native::live("Item"), 0);
}

#[test]
fn children_in_an_array_are_released_by_their_parent() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let items = pool.items();
    assert_eq!(native::live("Item"), 2);
    drop(items);
    assert_eq!(native::live("Item"), 0);
}

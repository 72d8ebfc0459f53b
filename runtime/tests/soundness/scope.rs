//! Authors' expressions see the parameters of the method, and nothing of the expansion. A handle that C gets to keep is
//! a reference there, which cannot end it.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::native::{Native, live, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, release};

    pub struct pool {
        pub items: Vec<*mut item>,
    }
    pub struct item {
        pub n: c_int,
    }

    pub unsafe extern "C" fn pool_new() -> *mut pool {
        acquire("Pool", pool { items: Vec::new() })
    }

    pub unsafe extern "C" fn pool_free(pool: *mut pool) {
        for item in std::mem::take(unsafe { &mut (*pool).items }) {
            release(item);
        }
        release(pool);
    }

    pub unsafe extern "C" fn pool_stop(_: *mut pool) {}

    /// Keeps the item, and returns what it was told of it.
    pub unsafe extern "C" fn pool_keep(pool: *mut pool, item: *mut item, told: c_int) -> c_int {
        unsafe { (*pool).items.push(item) };
        told
    }

    pub unsafe extern "C" fn pool_sum(
        _: *mut pool,
        start: *const u8,
        n: c_int,
        more: c_int,
    ) -> c_int {
        let bytes = unsafe { std::slice::from_raw_parts(start, n as usize) };
        bytes.iter().map(|byte| c_int::from(*byte)).sum::<c_int>() + more
    }

    pub unsafe extern "C" fn pool_fill(
        _: *mut pool,
        start: *mut u8,
        n: c_int,
        byte: c_int,
    ) -> c_int {
        unsafe { std::slice::from_raw_parts_mut(start, n as usize) }.fill(byte as u8);
        n
    }

    pub unsafe extern "C" fn item_new(n: c_int) -> *mut item {
        acquire("Item", item { n })
    }

    pub unsafe extern "C" fn item_n(item: *mut item) -> c_int {
        unsafe { (*item).n }
    }

    pub unsafe extern "C" fn item_free(item: *mut item) {
        release(item);
    }
}

#[handle(raw = ffi::pool, release = ffi::pool_free, fork_safe)]
struct Pool;

#[handle(raw = ffi::item, release = ffi::item_free, fork_safe)]
struct Item;

#[methods(unsafe, rust_only)]
impl Item {
    #[calls(ffi::item_new, fails = null)]
    fn new(n: c_int) -> Result<Owned<Item>>;

    #[calls(ffi::item_n)]
    fn n(&self) -> c_int;
}

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_keep, args = (self, item, item.n()), fails = negative, consumes = always)]
    fn keep(&self, item: Owned<Item>) -> Result<c_int>;

    #[calls(
        ffi::pool_keep,
        args = (self, item, { let _shown: &Item = item; item.n() }),
        fails = negative,
        consumes = always,
        interrupt = Pool::stop,
        detach
    )]
    fn keep_interruptibly(&self, item: Owned<Item>) -> Result<c_int>;

    #[calls(ffi::pool_stop)]
    fn stop(&self);

    #[calls(ffi::pool_sum, args = (self, data.ptr, data.len, { let shown: &Buffer<'_> = data; shown.len() as c_int }), fails = negative)]
    fn sum(&self, data: Buffer<'_>) -> Result<c_int>;

    #[calls(ffi::pool_fill, args = (self, data.ptr, data.len, c_int::from(data[0])), fails = negative)]
    fn fill(&self, data: &mut [u8]) -> Result<c_int>;
}

#[test]
fn consumed_handle_is_a_reference_in_args() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    assert_eq!(pool.keep(Item::new(3).unwrap()).unwrap(), 3);
    assert_eq!(pool.keep_interruptibly(Item::new(4).unwrap()).unwrap(), 4);
    assert_eq!(live("Item"), 2, "C has both");
    log();
    drop(pool);
    assert_eq!(log(), ["release Item", "release Item", "release Pool"]);
}

#[test]
fn memory_is_a_reference_in_args() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    assert_eq!(pool.sum(Buffer::from(&[1, 2, 3][..])).unwrap(), 9);
    let mut bytes = [7, 0, 0];
    assert_eq!(pool.fill(&mut bytes).unwrap(), 3);
    assert_eq!(bytes, [7, 7, 7]);
    drop(pool);
}

//! A handle that is bound to its thread, and that another thread was the last to need.

use std::sync::mpsc;

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ptr;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicPtr, Ordering};
    use std::thread::ThreadId;

    pub struct pool {
        _size: u8,
    }

    pub struct item {
        _size: u8,
    }

    pub struct bag {
        item: *mut item,
    }

    pub struct shelf {
        _size: u8,
    }

    /// The bag on the shelf.
    static BAG: AtomicPtr<bag> = AtomicPtr::new(ptr::null_mut());
    /// The threads that freed a pool.
    pub static FREED_BY: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

    pub unsafe extern "C" fn pool_new() -> *mut pool {
        Box::into_raw(Box::new(pool { _size: 0 }))
    }

    pub unsafe extern "C" fn pool_free(pool: *mut pool) {
        FREED_BY.lock().unwrap().push(std::thread::current().id());
        drop(unsafe { Box::from_raw(pool) });
    }

    pub unsafe extern "C" fn pool_item(_: *mut pool) -> *mut item {
        Box::into_raw(Box::new(item { _size: 0 }))
    }

    pub unsafe extern "C" fn item_free(item: *mut item) {
        drop(unsafe { Box::from_raw(item) });
    }

    pub unsafe extern "C" fn bag_new() -> *mut bag {
        let item = ptr::null_mut();
        Box::into_raw(Box::new(bag { item }))
    }

    pub unsafe extern "C" fn bag_put(bag: *mut bag, item: *mut item) {
        unsafe { (*bag).item = item };
    }

    pub unsafe extern "C" fn bag_free(bag: *mut bag) {
        let bag = unsafe { Box::from_raw(bag) };
        if !bag.item.is_null() {
            unsafe { item_free(bag.item) };
        }
    }

    pub unsafe extern "C" fn shelf_new() -> *mut shelf {
        Box::into_raw(Box::new(shelf { _size: 0 }))
    }

    pub unsafe extern "C" fn shelf_put(_: *mut shelf, bag: *mut bag) {
        BAG.store(bag, Ordering::Release);
    }

    pub unsafe extern "C" fn shelf_take() -> *mut bag {
        BAG.swap(ptr::null_mut(), Ordering::Acquire)
    }

    pub unsafe extern "C" fn shelf_free(shelf: *mut shelf) {
        drop(unsafe { Box::from_raw(shelf) });
    }
}

#[handle(raw = ffi::pool, release = ffi::pool_free, thread_bound, fork_safe)]
struct Pool;

#[handle(raw = ffi::item, release = ffi::item_free, parent = Pool, fork_safe)]
struct Item;

#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Bag;

#[handle(raw = ffi::shelf, release = ffi::shelf_free, fork_safe)]
struct Shelf;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_put)]
    fn put(&mut self, item: Owned<Item>);

    /// The bag that is on a shelf.
    #[calls(ffi::shelf_take)]
    fn take() -> Option<Owned<Bag>>;
}

#[methods(unsafe, rust_only)]
impl Shelf {
    #[calls(ffi::shelf_new, fails = null)]
    fn new() -> Result<Owned<Shelf>>;

    #[calls(ffi::shelf_put)]
    fn put(&mut self, bag: Owned<Bag>);
}

/// Makes a pool whose release waits for what C keeps in a bag on the shelf.
fn pool_that_waits() -> Owned<'static, Shelf> {
    let (mut bag, mut shelf) = (Bag::new().unwrap(), Shelf::new().unwrap());
    let pool = Pool::new().unwrap();
    bag.put(pool.item().unwrap());
    shelf.put(bag);
    drop(pool);
    assert!(ffi::FREED_BY.lock().unwrap().is_empty());
    shelf
}

/// Releases the bag on a thread that does not own the pool, after the shelf that the bag was taken from.
fn take_elsewhere(drop_shelf: impl FnOnce()) {
    let (takes, has_taken) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let taker = std::thread::spawn(move || {
        let bag = Bag::take().unwrap();
        takes.send(()).unwrap();
        goes.recv().unwrap();
        drop(bag);
    });
    has_taken.recv().unwrap();
    drop_shelf();
    go.send(()).unwrap();
    taker.join().unwrap();
    assert!(ffi::FREED_BY.lock().unwrap().is_empty());
}

#[test]
fn parent_that_another_thread_needed_last_is_released_by_its_own_thread() {
    let _native = Native::start();
    ffi::FREED_BY.lock().unwrap().clear();
    let shelf = pool_that_waits();
    take_elsewhere(|| drop(shelf));
    // The next call.
    Bag::new().unwrap();
    assert_eq!(
        *ffi::FREED_BY.lock().unwrap(),
        [std::thread::current().id()]
    );
}

#[test]
fn parent_that_another_thread_needed_last_is_released_when_its_own_thread_ends() {
    let _native = Native::start();
    ffi::FREED_BY.lock().unwrap().clear();
    let (waits, has_waited) = mpsc::channel();
    let (end, ends) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel::<()>();
    let owner = std::thread::spawn(move || {
        let shelf = pool_that_waits();
        waits.send(()).unwrap();
        ends.recv().unwrap();
        drop(shelf);
        done.send(()).unwrap();
        ends.recv().unwrap();
    });
    has_waited.recv().unwrap();
    let id = owner.thread().id();
    take_elsewhere(|| {
        end.send(()).unwrap();
        is_done.recv().unwrap();
    });
    end.send(()).unwrap();
    owner.join().unwrap();
    assert_eq!(*ffi::FREED_BY.lock().unwrap(), [id]);
}

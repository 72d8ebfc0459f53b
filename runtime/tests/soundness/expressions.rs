//! Authors' expressions that panic: in `fails`, `none`, `len` and `args`. Whatever C was passed and whatever it gave is
//! released once, or leaked where nobody knows who owns it.

use std::ffi::{c_int, c_void};

use leakproof::__private::to_c::IntoC;
use leakproof::prelude::*;

use crate::native::{Native, live, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::sync::Mutex;

    use crate::native::{acquire, note, release, touch};

    pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub type destroy = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct bag {
        pub items: Vec<*mut item>,
        pub ring: ring,
        pub data: *mut c_void,
        pub notified: Vec<(*mut c_void, destroy)>,
        pub next_in: *const u8,
        pub available: u32,
    }
    pub struct item {
        pub _n: c_int,
    }
    /// A struct that C initializes in the caller's memory, and finds again through a list of its own.
    #[derive(Clone, Copy)]
    pub struct spot {
        pub n: c_int,
    }

    struct Spots(Vec<*mut spot>);
    unsafe impl Send for Spots {}
    static SPOTS: Mutex<Spots> = Mutex::new(Spots(Vec::new()));

    pub unsafe extern "C" fn bag_new() -> *mut bag {
        acquire(
            "Bag",
            bag {
                items: Vec::new(),
                ring: None,
                data: std::ptr::null_mut(),
                notified: Vec::new(),
                next_in: std::ptr::null(),
                available: 0,
            },
        )
    }

    pub unsafe extern "C" fn bag_free(bag: *mut bag) {
        let bag_ref = unsafe { &mut *bag };
        for item in std::mem::take(&mut bag_ref.items) {
            unsafe { item_free(item) };
        }
        for (data, destroy) in std::mem::take(&mut bag_ref.notified) {
            if let Some(destroy) = destroy {
                unsafe { destroy(data) };
            }
        }
        release(bag);
    }

    pub unsafe extern "C" fn item_new() -> *mut item {
        acquire("Item", item { _n: 7 })
    }

    pub unsafe extern "C" fn item_free(item: *mut item) {
        release(item);
    }

    /// Takes the item, unless `status` is odd.
    pub unsafe extern "C" fn bag_add(bag: *mut bag, item: *mut item, status: c_int) -> c_int {
        touch(bag);
        touch(item);
        if status % 2 == 0 {
            unsafe { &mut (*bag).items }.push(item);
        }
        status
    }

    /// Unwinds after it took the item.
    pub unsafe extern "C-unwind" fn bag_add_and_unwind(bag: *mut bag, item: *mut item) -> c_int {
        unsafe { bag_add(bag, item, 0) };
        panic!("in C");
    }

    /// Takes the item, gives one of the caller's own through `made`.
    pub unsafe extern "C" fn bag_make(bag: *mut bag, made: *mut *mut item, status: c_int) -> c_int {
        touch(bag);
        unsafe { *made = item_new() };
        status
    }

    pub unsafe extern "C" fn bag_item(bag: *mut bag) -> *mut item {
        touch(bag);
        unsafe { item_new() }
    }

    pub unsafe extern "C" fn bag_on(
        bag: *mut bag,
        ring: ring,
        data: *mut c_void,
        status: c_int,
    ) -> c_int {
        touch(bag);
        if status % 2 == 0 {
            unsafe {
                (*bag).ring = ring;
                (*bag).data = data;
            }
        }
        status
    }

    pub unsafe extern "C" fn bag_listen(
        bag: *mut bag,
        _ring: ring,
        data: *mut c_void,
        destroy: destroy,
        status: c_int,
    ) -> c_int {
        touch(bag);
        unsafe { &mut (*bag).notified }.push((data, destroy));
        status
    }

    pub unsafe extern "C" fn bag_ring(bag: *mut bag) -> c_int {
        touch(bag);
        unsafe { (*bag).ring.map_or(0, |ring| ring(1, (*bag).data)) }
    }

    pub unsafe extern "C" fn bag_dump(_bag: *mut bag) -> *mut u8 {
        acquire("Dump", [1u8, 2, 3]).cast()
    }

    pub unsafe extern "C" fn dump_free(dump: *mut c_void) {
        release(dump);
    }

    /// Reads what the fields say.
    pub unsafe extern "C" fn bag_feed(bag: *mut bag, _level: c_int) -> c_int {
        touch(bag);
        note("fed");
        let bag = unsafe { &mut *bag };
        let mut sum = 0;
        while bag.available > 0 && !bag.next_in.is_null() {
            unsafe {
                sum += c_int::from(*bag.next_in);
                bag.next_in = bag.next_in.add(1);
            }
            bag.available -= 1;
        }
        sum
    }

    pub unsafe extern "C" fn spot_init(spot: *mut spot, status: c_int) -> c_int {
        unsafe { (*spot).n = 7 };
        SPOTS.lock().unwrap().0.push(spot);
        note("spot made");
        status
    }

    pub unsafe extern "C" fn spot_clear(spot: *mut spot) {
        SPOTS.lock().unwrap().0.retain(|other| *other != spot);
        note("spot cleared");
    }

    /// Looks at every spot.
    pub unsafe extern "C" fn spots_sum() -> c_int {
        let spots = SPOTS.lock().unwrap();
        spots.0.iter().map(|spot| unsafe { (**spot).n }).sum()
    }
}

/// Says whether a status is a failure; panics for 2 and 3.
const FAILED: [bool; 2] = [false, true];
const LEVELS: [c_int; 3] = [0, 1, 9];

#[handle(raw = ffi::bag, release = ffi::bag_free, attachments)]
struct Bag;

#[handle(raw = ffi::item, release = ffi::item_free)]
struct Item;

#[handle(caller_allocates = ffi::spot, release = ffi::spot_clear)]
struct Spot;

struct Ring(&'static str);

impl Attachment for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

#[callbacks(unsafe)]
impl Ring {
    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (number, data))]
    fn ring(&self, number: c_int) -> c_int {
        note(format!("{} {number}", self.0));
        0
    }
}

/// A length that an author measures in Rust, of what C just gave.
unsafe fn measured(_bag: *mut ffi::bag) -> usize {
    panic!("while it was measured")
}

/// A parameter type of an author's own.
#[derive(Debug, Clone, Copy)]
struct Level(u8);

// SAFETY: a number is nothing but its value.
unsafe impl IntoC<c_int> for Level {
    fn into_c(self) -> c_int {
        LEVELS[usize::from(self.0)]
    }
}

#[methods(unsafe, rust_only)]
impl Item {
    #[calls(ffi::item_new, fails = null)]
    fn new() -> Result<Owned<Item>>;
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_add, fails = when(|status| FAILED[status as usize]), consumes = on_success)]
    fn add(&mut self, item: Owned<Item>, status: c_int) -> Result<()>;

    #[calls(ffi::bag_add, fails = when(|status| FAILED[status as usize]), consumes = always)]
    fn add_always(&mut self, item: Owned<Item>, status: c_int) -> Result<()>;

    #[calls(ffi::bag_add, args = (self, item, 0), none = when(|status: c_int| FAILED[status as usize + 2]))]
    fn add_or_nothing(&mut self, item: Owned<Item>) -> Option<c_int>;

    #[calls(ffi::bag_add_and_unwind, fails = nonzero, consumes = on_success)]
    fn add_and_unwind(&mut self, item: Owned<Item>) -> Result<()>;

    #[calls(ffi::bag_add, args = (self, item, LEVELS[level as usize]), fails = nonzero, consumes = on_success)]
    fn add_at(&mut self, item: Owned<Item>, level: u8) -> Result<()>;

    #[calls(ffi::bag_add, args = (self, item, level), fails = nonzero, consumes = on_success)]
    fn add_level(&mut self, item: Owned<Item>, level: Level) -> Result<()>;

    #[calls(
        ffi::bag_make,
        args = (self, out, status),
        fails = when(|status| FAILED[status as usize]),
        on_failure = owned
    )]
    fn make(&self, status: c_int) -> Result<Owned<Item>>;

    #[calls(
        ffi::bag_make,
        args = (self, out, status),
        fails = when(|status| FAILED[status as usize]),
        on_failure = null
    )]
    fn make_or_null(&self, status: c_int) -> Result<Owned<Item>>;

    #[calls(ffi::bag_item, fails = when(|item| FAILED[item.addr()]))]
    fn item(&self) -> Result<Option<Owned<Item>>>;

    #[calls(ffi::bag_on, args = (self, ring.ring, ring.data, status), fails = when(|status| FAILED[status as usize]), scope = until_replaced)]
    fn on(&mut self, ring: Option<Ring>, status: c_int) -> Result<()>;

    #[calls(
        ffi::bag_listen,
        args = (self, ring.ring, ring.data, ring.destroy, status),
        fails = when(|status| FAILED[status as usize]),
        scope = notified,
        consumes = on_success
    )]
    fn listen(&self, ring: Ring, status: c_int) -> Result<()>;

    #[calls(ffi::bag_ring)]
    fn ring(&self) -> c_int;

    #[calls(ffi::bag_dump, len = measured, free = ffi::dump_free)]
    fn dump(&self) -> Option<Bytes>;

    #[calls(ffi::bag_dump, len = measured, free = ffi::dump_free, fails = null)]
    fn dump_perhaps(&self) -> Result<Bytes>;

    #[calls(
        ffi::bag_feed,
        fields(next_in = data.ptr, available = data.len),
        args = (self, LEVELS[level as usize]),
        fails = negative
    )]
    fn feed(&mut self, data: &[u8], level: u8) -> Result<c_int>;

    #[calls(ffi::bag_feed, args = (self, 0))]
    fn flush(&mut self) -> c_int;
}

#[methods(unsafe, rust_only)]
impl Spot {
    #[calls(
        ffi::spot_init,
        args = (out, status),
        fails = when(|status| FAILED[status as usize]),
        on_failure = undefined
    )]
    fn make(status: c_int) -> Result<Owned<Spot>>;

    #[calls(ffi::spots_sum, args = ())]
    fn sum() -> c_int;
}

fn bag() -> Owned<'static, Bag> {
    let bag = Bag::new().unwrap();
    log();
    bag
}

// ---- `fails` and `none`

#[test]
fn handle_that_c_took_is_not_released_where_fails_panics() {
    let mut native = Native::start();
    let mut bag = bag();
    panic_of(|| bag.add(Item::new().unwrap(), 2));
    assert_eq!(live("Item"), 1, "C has it");
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag"]);
    native.counts("Item");
}

#[test]
fn handle_that_c_left_is_leaked_where_fails_panics() {
    let mut native = Native::start();
    let mut bag = bag();
    panic_of(|| bag.add(Item::new().unwrap(), 3));
    drop(bag);
    assert_eq!(log(), ["release Bag"]);
    native.loses("Item");
    native.counts("Item");
}

#[test]
fn handle_that_c_takes_in_any_case_is_cs_where_fails_panics() {
    let _native = Native::start();
    let mut bag = bag();
    panic_of(|| bag.add_always(Item::new().unwrap(), 2));
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag"]);
}

#[test]
fn handle_is_settled_as_the_status_says_where_nothing_panics() {
    let _native = Native::start();
    let mut bag = bag();
    bag.add(Item::new().unwrap(), 0).unwrap();
    bag.add(Item::new().unwrap(), 1).unwrap_err();
    assert_eq!(log(), ["release Item"]);
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag"]);
}

#[test]
fn handle_is_cs_where_none_of_a_call_that_cannot_fail_panics() {
    let _native = Native::start();
    let mut bag = bag();
    panic_of(|| bag.add_or_nothing(Item::new().unwrap()));
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag"]);
}

#[test]
fn handle_is_leaked_where_c_unwinds() {
    let mut native = Native::start();
    let mut bag = bag();
    assert_eq!(
        panic_of(|| bag.add_and_unwind(Item::new().unwrap())),
        "in C"
    );
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag"]);
    native.counts("Item");
}

#[test]
fn result_is_released_where_fails_panics() {
    let _native = Native::start();
    let bag = bag();
    panic_of(|| bag.make(2));
    panic_of(|| bag.item());
    assert_eq!(log(), ["release Item", "release Item"]);
}

#[test]
fn result_that_may_be_nothing_is_leaked_where_fails_panics() {
    let mut native = Native::start();
    let bag = bag();
    panic_of(|| bag.make_or_null(2));
    assert!(log().is_empty());
    native.loses("Item");
}

#[test]
fn memory_of_ours_with_a_handle_of_cs_stays_where_fails_panics() {
    let _native = Native::start();
    drop(Spot::make(0).unwrap());
    assert_eq!(log(), ["spot made", "spot cleared"]);
    panic_of(|| Spot::make(2));
    // C still knows it.
    assert_eq!(Spot::sum(), 7);
}

#[test]
fn both_callbacks_stay_where_fails_panics() {
    let _native = Native::start();
    let mut bag = bag();
    bag.on(Some(Ring("a")), 0).unwrap();
    panic_of(|| bag.on(Some(Ring("b")), 2));
    bag.ring();
    assert_eq!(log(), ["b 1"]);
    panic_of(|| bag.on(Some(Ring("c")), 3));
    bag.ring();
    assert_eq!(log(), ["b 1"]);
    bag.on(Some(Ring("d")), 0).unwrap();
    assert_eq!(log(), ["drop a", "drop b", "drop c"]);
    bag.on(Some(Ring("e")), 1).unwrap_err();
    assert_eq!(log(), ["drop e"]);
    bag.ring();
    drop(bag);
    assert_eq!(log(), ["d 1", "release Bag", "drop d"]);
}

#[test]
fn callback_that_c_destroys_stays_until_then_where_fails_panics() {
    let _native = Native::start();
    let bag = bag();
    panic_of(|| bag.listen(Ring("a"), 2));
    assert!(log().is_empty());
    drop(bag);
    assert_eq!(log(), ["drop a", "release Bag"]);
}

// ---- `len`

#[test]
fn memory_is_freed_where_len_panics() {
    let _native = Native::start();
    let bag = bag();
    assert_eq!(panic_of(|| bag.dump()), "while it was measured");
    assert_eq!(panic_of(|| bag.dump_perhaps()), "while it was measured");
    assert_eq!(log(), ["release Dump", "release Dump"]);
}

// ---- `args`

#[test]
fn nothing_was_given_to_c_where_args_panics() {
    let _native = Native::start();
    let mut bag = bag();
    panic_of(|| bag.add_at(Item::new().unwrap(), 9));
    panic_of(|| bag.add_level(Item::new().unwrap(), Level(9)));
    assert_eq!(log(), ["release Item", "release Item"]);
    bag.add_at(Item::new().unwrap(), 0).unwrap();
    bag.add_level(Item::new().unwrap(), Level(0)).unwrap();
}

#[test]
fn no_field_points_to_an_argument_where_args_panics() {
    let _native = Native::start();
    let mut bag = bag();
    assert_eq!(bag.feed(&[1, 2, 3], 0).unwrap(), 6);
    let data = vec![1; 64];
    panic_of(|| bag.feed(&data, 7));
    drop(data);
    assert_eq!(bag.flush(), 0);
    assert_eq!(log(), ["fed", "fed"]);
}

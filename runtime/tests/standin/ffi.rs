//! A library such as C has them, written in Rust so that it runs anywhere, Miri included.
//!
//! It writes down what it gives and takes back, and fails when a test says so. All of its state belongs to one thread,
//! so that tests run beside each other.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::ptr;

/// What a call that can fail does.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    Succeed,
    /// It fails and says nothing.
    Fail,
    /// It reports these through the callback, then fails.
    Report(&'static [&'static str]),
    /// It reports these through the callback that was called last, of whatever struct, then fails.
    Misreport(&'static [&'static str]),
    /// It reports these through the callback, and succeeds all the same.
    Grumble(&'static [&'static str]),
}

#[derive(Default)]
struct State {
    next: VecDeque<Next>,
    log: Vec<String>,
    live: isize,
    last_callback: Report,
}

thread_local! {
    static STATE: RefCell<State> = RefCell::default();
}

fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(f)
}

/// Say what the next calls that can fail do; all others succeed.
pub(crate) fn next<const N: usize>(next: [Next; N]) {
    with(|state| state.next.extend(next));
}

/// What was called since this was last asked.
pub(crate) fn log() -> Vec<String> {
    with(|state| std::mem::take(&mut state.log))
}

/// How much is acquired and not released.
pub(crate) fn live() -> isize {
    with(|state| state.live)
}

/// The callback that was called last, as a library keeps it that calls it too late.
pub(crate) fn last_callback() -> unsafe extern "C" fn(*mut c_void, *mut Record) {
    with(|state| state.last_callback).expect("one was called")
}

fn note(call: impl Into<String>) {
    with(|state| state.log.push(call.into()));
}

fn acquire<T>(name: &str, value: T) -> *mut T {
    note(name);
    with(|state| state.live += 1);
    Box::into_raw(Box::new(value))
}

fn release<T>(name: &str, pointer: *mut T) {
    note(name);
    with(|state| state.live -= 1);
    // SAFETY: whoever calls the release function passes what `acquire` gave, once.
    drop(unsafe { Box::from_raw(pointer) });
}

/// What is passed to the callback.
#[repr(C)]
pub(crate) struct Record {
    pub(crate) message: *const c_char,
}

pub(crate) type Report = Option<unsafe extern "C" fn(*mut c_void, *mut Record)>;

/// Do what the test asked for; true for failure.
///
/// # Safety
///
/// The function in `report` is valid.
unsafe fn fails(report: *const Report) -> bool {
    let next = with(|state| state.next.pop_front());
    let last = Some(with(|state| state.last_callback));
    let report = match (&next, &last) {
        (Some(Next::Misreport(_)), Some(last)) => ptr::from_ref(last),
        _ => report,
    };
    let (messages, fails) = match next {
        None | Some(Next::Succeed) => (&[][..], false),
        Some(Next::Fail) => (&[][..], true),
        Some(Next::Report(messages) | Next::Misreport(messages)) => (messages, true),
        Some(Next::Grumble(messages)) => (messages, false),
    };
    for message in messages {
        let message = CString::new(*message).unwrap();
        let mut record = Record {
            message: message.as_ptr(),
        };
        // SAFETY: the callback may be called with any user data and a valid record.
        unsafe {
            if let Some(report) = report.as_ref().copied().flatten() {
                with(|state| state.last_callback = Some(report));
                report(ptr::null_mut(), &raw mut record);
            }
        }
    }
    fails
}

#[repr(C)]
pub(crate) struct Stats {
    pub(crate) reads: c_int,
}

#[repr(C)]
pub(crate) union Value {
    pub(crate) number: f64,
    pub(crate) text: *const c_char,
}

pub(crate) const NUMBER: c_int = 1;
pub(crate) const TEXT: c_int = 2;

/// A store: what everything else lives in.
#[repr(C)]
pub(crate) struct Store {
    pub(crate) report: Report,
    pub(crate) status: c_int,
    pub(crate) limit: c_int,
    pub(crate) open: c_int,
    pub(crate) title: *mut c_char,
    pub(crate) stats: Stats,
    pub(crate) item_count: c_int,
    pub(crate) items: *mut *mut Item,
    pub(crate) size_count: u32,
    pub(crate) sizes: *mut u16,
    pub(crate) first: *mut Item,
    pub(crate) tag: c_int,
    pub(crate) value: Value,
    pub(crate) label: [c_char; 4],
}

/// An item: part of its store.
#[repr(C)]
pub(crate) struct Item {
    pub(crate) store: *mut Store,
    pub(crate) next: *mut Item,
    pub(crate) size: c_int,
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: `store_open` made all of it, as it is taken apart here.
        unsafe {
            drop((!self.title.is_null()).then(|| CString::from_raw(self.title)));
            for item in *Box::from_raw(self.items.cast::<[*mut Item; 3]>()) {
                drop((!item.is_null()).then(|| Box::from_raw(item)));
            }
            drop(Box::from_raw(self.sizes.cast::<[u16; 2]>()));
        }
    }
}

/// A store of two items. NULL on failure.
pub(crate) unsafe extern "C" fn store_open(title: *const c_char) -> *mut Store {
    // SAFETY: there is no callback before there is a store.
    if unsafe { fails(ptr::null()) } {
        return ptr::null_mut();
    }
    let title = match title.is_null() {
        true => ptr::null_mut(),
        // SAFETY: a C string, as the manual asks for.
        false => unsafe { CStr::from_ptr(title) }.to_owned().into_raw(),
    };
    let store = acquire(
        "store_open",
        Store {
            report: None,
            status: 0,
            limit: 10,
            open: 1,
            title,
            stats: Stats { reads: 7 },
            item_count: 3,
            items: ptr::null_mut(),
            size_count: 2,
            sizes: Box::into_raw(Box::new([10_u16, 20])).cast(),
            first: ptr::null_mut(),
            tag: NUMBER,
            value: Value { number: 1.5 },
            label: [b'a' as c_char, b'b' as c_char, 0, 0],
        },
    );
    let item = |next, size| Box::into_raw(Box::new(Item { store, next, size }));
    let last = item(ptr::null_mut(), 20);
    let first = item(last, 10);
    // SAFETY: the store was just made.
    unsafe {
        (*store).items = Box::into_raw(Box::new([first, ptr::null_mut(), last])).cast();
        (*store).first = first;
    }
    store
}

pub(crate) unsafe extern "C" fn store_free(store: *mut Store) {
    release("store_free", store);
}

/// The last item, which the store keeps.
pub(crate) unsafe extern "C" fn store_last(store: *const Store) -> *const Item {
    // SAFETY: a valid store, as for every function here; its third slot holds the last item.
    unsafe { *(*store).items.add(2) }
}

/// Zero, or 3 on failure.
pub(crate) unsafe extern "C" fn store_check(store: *mut Store) -> c_int {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        3
    } else {
        0
    }
}

/// The number of bytes written, or -1 on failure.
pub(crate) unsafe extern "C" fn store_write(
    store: *mut Store,
    bytes: *const c_void,
    count: u8,
) -> c_int {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return -1;
    }
    let bytes: &[u8] = match bytes.is_null() {
        true => &[],
        // SAFETY: `count` bytes, as the manual asks for.
        false => unsafe { std::slice::from_raw_parts(bytes.cast(), count.into()) },
    };
    note(format!("store_write {bytes:?}"));
    count.into()
}

/// How full the store is, in percent; over 100 on failure.
pub(crate) unsafe extern "C" fn store_level(store: *mut Store) -> u32 {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        101
    } else {
        50
    }
}

/// Sets `status` in the store and returns nothing.
pub(crate) unsafe extern "C" fn store_sync(store: *mut Store) -> c_int {
    // SAFETY: as above.
    unsafe { (*store).status = c_int::from(fails(&raw const (*store).report)) };
    0
}

/// A text that the caller has to free with `text_free`; NULL on failure.
pub(crate) unsafe extern "C" fn store_describe(store: *mut Store) -> *mut c_char {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    acquire("store_describe", *b"text\0").cast()
}

pub(crate) unsafe extern "C" fn text_free(text: *mut c_void) {
    release("text_free", text.cast::<[u8; 5]>());
}

pub(crate) unsafe extern "C" fn chars_free(text: *mut c_char) {
    release("text_free", text.cast::<[u8; 5]>());
}

/// A constant, in static memory.
pub(crate) unsafe extern "C" fn version() -> *const c_char {
    c"1.0".as_ptr()
}

/// Takes one of everything, with the store in the middle.
pub(crate) unsafe extern "C" fn store_mix(
    number: i64,
    name: *const u8,
    store: *mut Store,
    nothing: *mut c_void,
    bytes: *const c_char,
    count: usize,
    option: c_int,
    flag: c_int,
) -> c_int {
    // SAFETY: as above, with two C strings and `count` bytes.
    let (title, name, bytes) = unsafe {
        (
            CStr::from_ptr((*store).title),
            CStr::from_ptr(name.cast()),
            std::slice::from_raw_parts(bytes.cast::<u8>(), count),
        )
    };
    note(format!(
        "store_mix {number} {name:?} {title:?} {} {bytes:?} {option} {flag}",
        nothing.is_null()
    ));
    0
}

/// Renames the store; NULL takes the name away.
pub(crate) unsafe extern "C" fn store_rename(store: *mut Store, title: *const c_char) -> c_int {
    // SAFETY: as above, with a C string or NULL.
    unsafe {
        let old = std::mem::replace(
            &mut (*store).title,
            match title.is_null() {
                true => ptr::null_mut(),
                false => CStr::from_ptr(title).to_owned().into_raw(),
            },
        );
        drop((!old.is_null()).then(|| CString::from_raw(old)));
    }
    0
}

/// A cursor: a resource of its own that needs its store.
#[repr(C)]
pub(crate) struct Cursor {
    store: *mut Store,
    position: c_int,
}

pub(crate) unsafe extern "C" fn cursor_new(store: *mut Store) -> *mut Cursor {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    acquire("cursor_new", Cursor { store, position: 0 })
}

/// Looks at its store, as a release function may.
pub(crate) unsafe extern "C" fn cursor_free(cursor: *mut Cursor) -> c_int {
    // SAFETY: a valid cursor, whose store is still there.
    let reads = unsafe { (*(*cursor).store).stats.reads };
    release("cursor_free", cursor);
    reads
}

/// The new position.
pub(crate) unsafe extern "C" fn cursor_step(cursor: *mut Cursor) -> c_int {
    // SAFETY: a valid cursor.
    unsafe {
        (*cursor).position += 1;
        (*cursor).position
    }
}

/// NULL at the end, which is no failure.
pub(crate) unsafe extern "C" fn cursor_copy(cursor: *mut Cursor) -> *mut Cursor {
    // SAFETY: a valid cursor.
    let Cursor { store, position } = unsafe { &*cursor };
    if *position >= 2 {
        return ptr::null_mut();
    }
    acquire(
        "cursor_copy",
        Cursor {
            store: *store,
            position: *position,
        },
    )
}

/// Makes a store also when it fails: to be asked what went wrong, then freed.
pub(crate) unsafe extern "C" fn store_open_at(title: *const c_char, out: *mut *mut Store) -> c_int {
    // SAFETY: there is no callback before there is a store.
    let failed = unsafe { fails(ptr::null()) };
    // SAFETY: a C string and a place for the result, as the manual asks for.
    unsafe {
        *out = store_open(title);
        (**out).limit = if failed { 7 } else { 10 };
    }
    if failed { -7 } else { 0 }
}

/// A cursor and its position. When it fails it leaves something at `out` that is no cursor.
pub(crate) unsafe extern "C" fn cursor_make(
    store: *mut Store,
    out: *mut *mut Cursor,
    position: *mut c_int,
) -> c_int {
    // SAFETY: as above, with places for the results.
    unsafe {
        if fails(&raw const (*store).report) {
            *out = ptr::without_provenance_mut(8);
            return 1;
        }
        *out = cursor_new(store);
        *position = 42;
        0
    }
}

/// The size, and how full it is; NULL for what is not wanted is not allowed.
pub(crate) unsafe extern "C" fn store_measure(
    _store: *const Store,
    size: *mut c_int,
    level: *mut f64,
) {
    // SAFETY: places for the results, as the manual asks for.
    unsafe {
        *size = 3;
        *level = 0.5;
    }
}

/// Two cursors, of which the first may be missing.
pub(crate) unsafe extern "C" fn cursor_pair(
    store: *mut Store,
    first: *mut *mut Cursor,
    second: *mut *mut Cursor,
) -> c_int {
    // SAFETY: as above, with places for the results.
    unsafe {
        if !fails(&raw const (*store).report) {
            *first = cursor_new(store);
        }
        *second = cursor_new(store);
    }
    0
}

/// A struct that lives where the caller has put it.
#[repr(C)]
pub(crate) struct Tally {
    counted: *mut c_int,
    here: *const Tally,
}

pub(crate) unsafe extern "C" fn tally_init(tally: *mut Tally, start: c_int) -> c_int {
    // SAFETY: as above, with memory for a tally.
    unsafe {
        assert!((*tally).counted.is_null(), "zeros at first");
        if fails(ptr::null()) {
            return -1;
        }
        (*tally).counted = acquire("tally_init", start);
        (*tally).here = tally;
    }
    0
}

pub(crate) unsafe extern "C" fn tally_add(tally: *mut Tally, n: c_int) -> c_int {
    // SAFETY: a valid tally.
    unsafe {
        assert!(ptr::eq((*tally).here, tally), "it was not moved");
        *(*tally).counted += n;
        *(*tally).counted
    }
}

pub(crate) unsafe extern "C" fn tally_clear(tally: *mut Tally) {
    // SAFETY: a valid tally.
    unsafe {
        assert!(ptr::eq((*tally).here, tally), "it was not moved");
        release("tally_clear", (*tally).counted);
    }
}

/// An object whose owners are counted.
#[repr(C)]
pub(crate) struct Shape {
    owners: c_int,
    pub(crate) child: *mut Shape,
}

pub(crate) unsafe extern "C" fn shape_new(child: *mut Shape) -> *mut Shape {
    // SAFETY: NULL, or a valid shape, which gets one owner more.
    unsafe {
        if !child.is_null() {
            shape_ref(child);
        }
    }
    acquire("shape_new", Shape { owners: 1, child })
}

pub(crate) unsafe extern "C" fn shape_ref(shape: *mut Shape) -> *mut Shape {
    // SAFETY: a valid shape.
    unsafe { (*shape).owners += 1 };
    shape
}

pub(crate) unsafe extern "C" fn shape_unref(shape: *mut Shape) {
    // SAFETY: a valid shape.
    unsafe {
        (*shape).owners -= 1;
        if (*shape).owners == 0 {
            let child = (*shape).child;
            release("shape_free", shape);
            if !child.is_null() {
                shape_unref(child);
            }
        }
    }
}

/// Lent to the caller.
pub(crate) unsafe extern "C" fn shape_child(shape: *const Shape) -> *mut Shape {
    // SAFETY: a valid shape.
    unsafe { (*shape).child }
}

pub(crate) unsafe extern "C" fn shape_owners(shape: *const Shape) -> c_int {
    // SAFETY: a valid shape.
    unsafe { (*shape).owners }
}

/// A session: closing it may be refused.
#[repr(C)]
pub(crate) struct Session {
    pub(crate) busy: c_int,
}

pub(crate) unsafe extern "C" fn session_new() -> *mut Session {
    acquire("session_new", Session { busy: 0 })
}

/// 5 and no change while it is busy; 6 if what was written is lost, but closed.
pub(crate) unsafe extern "C" fn session_close(session: *mut Session) -> c_int {
    // SAFETY: a valid session.
    match unsafe { (*session).busy } {
        0 => {
            release("session_close", session);
            0
        }
        6 => {
            release("session_close", session);
            6
        }
        _ => 5,
    }
}

/// The start of what `store_memory_size` counts; NULL if that is nothing.
pub(crate) unsafe extern "C" fn store_memory(_store: *const Store, count: c_int) -> *const c_void {
    match count {
        0 => ptr::null(),
        _ => b"a\0bc".as_ptr().cast(),
    }
}

pub(crate) unsafe extern "C" fn store_memory_size(_store: *const Store, count: c_int) -> c_int {
    count
}

/// Two names in an array that ends with NULL, for `names_free`; NULL on failure.
pub(crate) unsafe extern "C" fn store_names(store: *mut Store) -> *mut *mut c_char {
    // SAFETY: a valid store.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    let name = |name: &CStr| name.to_owned().into_raw();
    acquire("store_names", [name(c"one"), name(c"two"), ptr::null_mut()]).cast()
}

/// Frees the names, and their array.
pub(crate) unsafe extern "C" fn names_free(names: *mut c_void) {
    let names = names.cast::<[*mut c_char; 3]>();
    // SAFETY: as `store_names` made them.
    unsafe {
        drop(CString::from_raw((*names)[0]));
        drop(CString::from_raw((*names)[1]));
    }
    release("names_free", names);
}

/// Numbers up to a 0, in static memory.
pub(crate) unsafe extern "C" fn primes() -> *const u16 {
    static PRIMES: [u16; 4] = [2, 3, 5, 0];
    PRIMES.as_ptr()
}

/// The same, with how many there are.
pub(crate) unsafe extern "C" fn counted_primes(count: *mut u32) -> *const u16 {
    // SAFETY: a place for the count.
    unsafe {
        *count = 2;
        primes()
    }
}

/// Memory for `text_free`, with its length. A failing call leaves some, too.
pub(crate) unsafe extern "C" fn store_dump(
    store: *mut Store,
    start: *mut *mut u8,
    count: *mut usize,
) -> c_int {
    // SAFETY: a valid store, with places for the results.
    unsafe {
        let failed = fails(&raw const (*store).report);
        *start = acquire("store_dump", *b"d\0mp\0").cast();
        *count = 4;
        if failed { -1 } else { 0 }
    }
}

/// A text that the store keeps. A failing call leaves something that is no text.
pub(crate) unsafe extern "C" fn store_motto(store: *mut Store, text: *mut *const c_char) -> c_int {
    // SAFETY: a valid store, with a place for the result.
    unsafe {
        let failed = fails(&raw const (*store).report);
        *text = match failed {
            true => ptr::without_provenance(8),
            false => c"motto".as_ptr(),
        };
        if failed { -1 } else { 0 }
    }
}

fn set_errno(number: c_int) {
    errno::set_errno(errno::Errno(number));
}

/// Sets `errno` to 5, and leaves a text for `forget`.
pub(crate) unsafe extern "C" fn fail_with_errno() -> *mut c_char {
    set_errno(5);
    c"text".as_ptr().cast_mut()
}

/// Sets `errno` itself, as functions that free may.
pub(crate) unsafe extern "C" fn forget(_text: *mut c_void) {
    set_errno(6);
}

/// Fails, and leaves `errno` alone.
pub(crate) unsafe extern "C" fn fail_silently() -> c_int {
    1
}

/// The next item after `at` sizes: 1 and nothing at the end, which is no failure; -1 on failure.
pub(crate) unsafe extern "C" fn store_next(
    store: *mut Store,
    at: c_int,
    out: *mut *const Item,
) -> c_int {
    // SAFETY: a valid store, with a place for the result.
    unsafe {
        if fails(&raw const (*store).report) {
            return -1;
        }
        *out = ptr::without_provenance(8);
        if at > 0 {
            return 1;
        }
        *out = (*store).first;
    }
    0
}

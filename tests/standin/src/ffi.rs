//! The library itself, written in Rust as C would be: it waits where a test tells it to, and writes down what it does.

#![allow(unreachable_pub, reason = "as bindgen writes it")]
#![allow(non_camel_case_types, reason = "named as C names things")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

struct State {
    gate_closed: bool,
    at_gate: usize,
    log: Vec<String>,
}

static STATE: Mutex<State> = Mutex::new(State {
    gate_closed: false,
    at_gate: 0,
    log: Vec::new(),
});
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn set_gate(closed: bool) {
    state().gate_closed = closed;
    CHANGED.notify_all();
}

pub(crate) fn at_gate() -> usize {
    state().at_gate
}

pub(crate) fn take_log() -> Vec<String> {
    std::mem::take(&mut state().log)
}

pub(crate) fn note(what: &str) {
    state().log.push(what.into());
}

fn pass_gate() {
    let mut state = state();
    state.at_gate += 1;
    while state.gate_closed {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.at_gate -= 1;
}

#[repr(C)]
pub struct record {
    pub message: *const c_char,
}

pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;

#[repr(C)]
pub struct store {
    pub report: report,
}

pub unsafe extern "C" fn store_new() -> *mut store {
    note("store_new");
    Box::into_raw(Box::new(store { report: None }))
}

pub unsafe extern "C" fn store_free(store: *mut store) {
    note("store_free");
    // SAFETY: what `store_new` gave, given back once.
    drop(unsafe { Box::from_raw(store) });
}

/// Works for so long, then waits at the gate.
pub unsafe extern "C" fn store_work(_store: *mut store, milliseconds: u32) -> c_int {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
    pass_gate();
    note("worked");
    0
}

/// Reports `text` before the gate and behind it, then fails.
pub unsafe extern "C" fn store_fail(store: *const store, text: *const c_char) -> c_int {
    // SAFETY: a C string, as the manual asks for.
    let text = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned();
    for place in ["before", "behind"] {
        if let Ok(message) = CString::new(format!("{text} {place}")) {
            let mut record = record {
                message: message.as_ptr(),
            };
            // SAFETY: the store is valid, and what hangs there may be called with a record.
            unsafe {
                if let Some(report) = (*store).report {
                    report(std::ptr::null_mut(), &raw mut record);
                }
            }
        }
        if place == "before" {
            pass_gate();
        }
    }
    -1
}

#[repr(C)]
pub struct item {
    store: *mut store,
    memory: [u8; 4],
}

/// The item's own memory.
pub unsafe extern "C" fn item_memory(item: *const item) -> *const c_void {
    // SAFETY: a valid item.
    unsafe { (&raw const (*item).memory).cast() }
}

pub unsafe extern "C" fn item_memory_size(_item: *const item) -> usize {
    4
}

pub unsafe extern "C" fn item_new(store: *mut store) -> *mut item {
    note("item_new");
    Box::into_raw(Box::new(item {
        store,
        memory: *b"item",
    }))
}

pub unsafe extern "C" fn item_of_item(item: *mut item) -> *mut item {
    // SAFETY: a valid item.
    unsafe { item_new((*item).store) }
}

/// Looks at its store, as a release function may.
pub unsafe extern "C" fn item_free(item: *mut item) {
    // SAFETY: what `item_new` gave, given back once, before its store.
    let mut item = unsafe { Box::from_raw(item) };
    item.memory = *b"gone";
    // SAFETY: as above.
    let reports = unsafe { (*item.store).report.is_some() };
    note(if reports {
        "item_free within a call"
    } else {
        "item_free"
    });
}

pub unsafe extern "C" fn item_work(_item: *mut item) -> c_int {
    pass_gate();
    note("item worked");
    0
}

/// An object whose owners are counted.
#[repr(C)]
pub struct shape {
    owners: c_int,
    child: *mut shape,
}

pub unsafe extern "C" fn shape_new(child: *mut shape) -> *mut shape {
    note("shape_new");
    // SAFETY: NULL, or a valid shape, which gets one owner more.
    unsafe {
        if !child.is_null() {
            shape_ref(child);
        }
    }
    Box::into_raw(Box::new(shape { owners: 1, child }))
}

pub unsafe extern "C" fn shape_ref(shape: *mut shape) -> *mut shape {
    // SAFETY: a valid shape.
    unsafe { (*shape).owners += 1 };
    shape
}

pub unsafe extern "C" fn shape_unref(shape: *mut shape) {
    // SAFETY: a valid shape.
    unsafe {
        (*shape).owners -= 1;
        note(&format!("shape_unref to {}", (*shape).owners));
        if (*shape).owners == 0 {
            let child = (*shape).child;
            drop(Box::from_raw(shape));
            if !child.is_null() {
                shape_unref(child);
            }
        }
    }
}

/// Lent to the caller.
pub unsafe extern "C" fn shape_child(shape: *const shape) -> *mut shape {
    // SAFETY: a valid shape.
    unsafe { (*shape).child }
}

pub unsafe extern "C" fn shape_owners(shape: *const shape) -> c_int {
    // SAFETY: a valid shape.
    unsafe { (*shape).owners }
}

/// Waits at the gate.
pub unsafe extern "C" fn shape_work(shape: *mut shape) -> c_int {
    pass_gate();
    // SAFETY: a valid shape.
    note(&format!("worked with {}", unsafe { (*shape).owners }));
    0
}

pub unsafe extern "C" fn shape_meet(_shape: *mut shape, _other: *const shape) -> c_int {
    0
}

/// A session: closing it may be refused.
#[repr(C)]
pub struct session {
    pub busy: c_int,
    cursors: c_int,
}

/// Leaves a session to be asked and closed when it fails, for a negative number.
pub unsafe extern "C" fn session_open(busy: c_int, out: *mut *mut session) -> c_int {
    note("session_open");
    let session = Box::into_raw(Box::new(session { busy, cursors: 0 }));
    // SAFETY: a place for the result, as the manual asks for.
    unsafe { *out = session };
    if busy < 0 { 1 } else { 0 }
}

/// 5 and no change while it is busy; 6 if what was written is lost, but closed.
pub unsafe extern "C" fn session_close(session: *mut session) -> c_int {
    // SAFETY: a valid session, whose cursors are gone.
    let busy = unsafe {
        assert_eq!((*session).cursors, 0, "cursors are closed first");
        (*session).busy
    };
    if busy == 5 {
        note("session kept");
        return 5;
    }
    note("session_close");
    // SAFETY: as `session_open` made it.
    drop(unsafe { Box::from_raw(session) });
    if busy == 6 { 6 } else { 0 }
}

/// What it was busy with, and no session any more; -1 and the session as it was for 7.
pub unsafe extern "C" fn session_commit(session: *mut session) -> c_int {
    // SAFETY: a valid session, whose cursors are gone.
    unsafe {
        assert_eq!((*session).cursors, 0, "cursors are closed first");
        if (*session).busy == 7 {
            return -1;
        }
        note("session_commit");
        Box::from_raw(session).busy
    }
}

/// The same, and it is gone in any case.
pub unsafe extern "C" fn session_abort(session: *mut session) {
    note("session_abort");
    // SAFETY: as above.
    drop(unsafe { Box::from_raw(session) });
}

/// A cursor, which may also be kept.
#[repr(C)]
pub struct cursor {
    session: *mut session,
    at: c_int,
    pub busy: c_int,
}

pub unsafe extern "C" fn cursor_open(session: *mut session) -> *mut cursor {
    // SAFETY: a valid session.
    unsafe { (*session).cursors += 1 };
    note("cursor_open");
    Box::into_raw(Box::new(cursor {
        session,
        at: 0,
        busy: 0,
    }))
}

pub unsafe extern "C" fn cursor_close(cursor: *mut cursor) -> c_int {
    // SAFETY: a valid cursor, whose session is still there.
    unsafe {
        if (*cursor).busy == 5 {
            note("cursor kept");
            // The next attempt succeeds.
            (*cursor).busy = 0;
            return 5;
        }
        (*(*cursor).session).cursors -= 1;
        drop(Box::from_raw(cursor));
    }
    note("cursor_close");
    0
}

/// The next number below 3, after which it is -1.
pub unsafe extern "C" fn cursor_next(cursor: *mut cursor) -> c_int {
    // SAFETY: a valid cursor.
    unsafe {
        (*cursor).at += 1;
        if (*cursor).at > 3 { -1 } else { (*cursor).at }
    }
}

pub unsafe extern "C" fn session_work(_session: *mut session) -> c_int {
    pass_gate();
    0
}

/// A struct that lives where the caller has put it.
#[repr(C)]
pub struct tally {
    here: *const tally,
    count: c_int,
}

pub unsafe extern "C" fn tally_init(tally: *mut tally, start: c_int) -> c_int {
    if start < 0 {
        return -1;
    }
    note("tally_init");
    // SAFETY: memory for a tally.
    unsafe {
        (*tally).here = tally;
        (*tally).count = start;
    }
    0
}

pub unsafe extern "C" fn tally_add(tally: *mut tally, n: c_int) -> c_int {
    // SAFETY: a valid tally.
    unsafe {
        assert!(std::ptr::eq((*tally).here, tally), "it was not moved");
        (*tally).count += n;
        (*tally).count
    }
}

pub unsafe extern "C" fn tally_clear(tally: *mut tally) {
    // SAFETY: a valid tally.
    unsafe { assert!(std::ptr::eq((*tally).here, tally), "it was not moved") };
    note("tally_clear");
}

/// A parcel, which somebody may take over.
#[repr(C)]
pub struct parcel {
    pub weight: c_int,
    tags: c_int,
}

pub unsafe extern "C" fn parcel_new(weight: c_int) -> *mut parcel {
    note("parcel_new");
    Box::into_raw(Box::new(parcel { weight, tags: 0 }))
}

pub unsafe extern "C" fn parcel_weight(parcel: *const parcel) -> c_int {
    pass_gate();
    // SAFETY: a valid parcel.
    unsafe { (*parcel).weight }
}

pub unsafe extern "C" fn parcel_free(parcel: *mut parcel) {
    note("parcel_free");
    // SAFETY: a valid parcel, given back once, without its tags.
    unsafe {
        assert_eq!((*parcel).tags, 0, "tags are freed first");
        drop(Box::from_raw(parcel));
    }
}

/// A tag on a parcel.
#[repr(C)]
pub struct tag {
    parcel: *mut parcel,
}

pub unsafe extern "C" fn parcel_tag(parcel: *mut parcel) -> *mut tag {
    note("parcel_tag");
    // SAFETY: a valid parcel.
    unsafe { (*parcel).tags += 1 };
    Box::into_raw(Box::new(tag { parcel }))
}

pub unsafe extern "C" fn tag_free(tag: *mut tag) {
    note("tag_free");
    // SAFETY: a valid tag, whose parcel is still there.
    unsafe {
        (*(*tag).parcel).tags -= 1;
        drop(Box::from_raw(tag));
    }
}

/// A board, which one tag can be pinned to.
pub struct board {
    tag: *mut tag,
}

pub unsafe extern "C" fn board_new() -> *mut board {
    note("board_new");
    let tag = std::ptr::null_mut();
    Box::into_raw(Box::new(board { tag }))
}

/// Takes the tag, unless there is one.
pub unsafe extern "C" fn board_pin(board: *mut board, tag: *mut tag) -> c_int {
    // SAFETY: valid handles.
    unsafe {
        if !(*board).tag.is_null() {
            return -1;
        }
        (*board).tag = tag;
    }
    0
}

pub unsafe extern "C" fn board_free(board: *mut board) {
    // SAFETY: a valid board, given back once; the parcel of its tag is still there.
    unsafe {
        if !(*board).tag.is_null() {
            tag_free((*board).tag);
        }
        note("board_free");
        drop(Box::from_raw(board));
    }
}

/// Takes the parcel, unless it is too heavy: then it leaves it where it was.
pub unsafe extern "C" fn session_send(session: *mut session, parcel: *mut parcel) -> c_int {
    // SAFETY: valid handles.
    unsafe {
        if (*parcel).weight > 10 {
            return -1;
        }
        (*session).busy += (*parcel).weight;
        parcel_free(parcel);
    }
    0
}

/// Takes the parcel, and destroys it if it is too heavy.
pub unsafe extern "C" fn session_throw(session: *mut session, parcel: *mut parcel) -> c_int {
    // SAFETY: valid handles.
    let status = unsafe { session_send(session, parcel) };
    if status < 0 {
        // SAFETY: it was left here.
        unsafe { parcel_free(parcel) };
    }
    status
}

/// Takes one owner of the shape.
pub unsafe extern "C" fn session_keep(session: *mut session, shape: *mut shape) -> *mut session {
    // SAFETY: a valid shape.
    unsafe { shape_unref(shape) };
    session
}

/// A list, whose nodes move when it grows.
#[repr(C)]
pub struct list {
    nodes: *mut node,
    count: usize,
}

#[repr(C)]
pub struct node {
    pub number: c_int,
    pub next: *mut node,
}

pub unsafe extern "C" fn list_new() -> *mut list {
    Box::into_raw(Box::new(list {
        nodes: std::ptr::null_mut(),
        count: 0,
    }))
}

pub unsafe extern "C" fn list_free(list: *mut list) {
    // SAFETY: a valid list, given back once; its nodes are one block.
    unsafe {
        let list = Box::from_raw(list);
        free_nodes(list.nodes, list.count);
    }
}

unsafe fn free_nodes(nodes: *mut node, count: usize) {
    if !nodes.is_null() {
        // SAFETY: as `list_push` made them.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(nodes, count)) });
    }
}

/// Every node is somewhere else afterwards.
pub unsafe extern "C" fn list_push(list: *mut list, number: c_int) -> c_int {
    // SAFETY: a valid list.
    unsafe {
        let old = (0..(*list).count).map(|index| (*(*list).nodes.add(index)).number);
        let fresh = old.chain([number]).map(|number| node {
            number,
            next: std::ptr::null_mut(),
        });
        let mut fresh: Vec<node> = fresh.collect();
        let start = fresh.as_mut_ptr();
        for index in 1..fresh.len() {
            fresh[index - 1].next = start.add(index);
        }
        free_nodes((*list).nodes, (*list).count);
        (*list).count = fresh.len();
        (*list).nodes = Box::into_raw(fresh.into_boxed_slice()).cast();
    }
    0
}

/// How many nodes there are, once the gate is open.
pub unsafe extern "C" fn list_look(list: *const list) -> c_int {
    pass_gate();
    // SAFETY: a valid list.
    c_int::try_from(unsafe { (*list).count }).unwrap_or(c_int::MAX)
}

pub unsafe extern "C" fn list_first(list: *const list) -> *mut node {
    // SAFETY: a valid list.
    unsafe { (*list).nodes }
}

/// Does nothing for so long, and takes no lock.
pub unsafe extern "C" fn list_sleep(_list: *mut list, milliseconds: u32) -> c_int {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
    0
}

/// Pushes to a list.
#[repr(C)]
pub struct editor {
    list: *mut list,
}

pub unsafe extern "C" fn editor_new(list: *mut list) -> *mut editor {
    Box::into_raw(Box::new(editor { list }))
}

pub unsafe extern "C" fn editor_free(editor: *mut editor) {
    // SAFETY: a valid editor, given back once.
    drop(unsafe { Box::from_raw(editor) });
}

pub unsafe extern "C" fn editor_push(editor: *mut editor, number: c_int) -> c_int {
    // SAFETY: a valid editor, whose list outlives it.
    unsafe { list_push((*editor).list, number) }
}

pub unsafe extern "C" fn editor_count(editor: *mut editor) -> c_int {
    // SAFETY: as in `editor_push`.
    unsafe { c_int::try_from((*(*editor).list).count).unwrap_or(c_int::MAX) }
}

/// Waits at the gate.
pub unsafe extern "C" fn editor_work(_editor: *mut editor) -> c_int {
    pass_gate();
    0
}

pub unsafe extern "C" fn list_meet(_list: *mut list, _node: *mut node) -> c_int {
    0
}

/// Numbers that are in use, and those of them whose waits were ended.
static NUMBERS: Mutex<(Vec<c_int>, Vec<c_int>)> = Mutex::new((Vec::new(), Vec::new()));
static WOKEN: Condvar = Condvar::new();

fn numbers() -> MutexGuard<'static, (Vec<c_int>, Vec<c_int>)> {
    NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The lowest number that is free, from -1 on; -2 if there are too many.
pub unsafe extern "C" fn number_open() -> c_int {
    let mut numbers = numbers();
    let free = (-1..3).find(|number| !numbers.0.contains(number));
    numbers.0.extend(free);
    free.unwrap_or(-2)
}

/// The same, through a pointer.
pub unsafe extern "C" fn number_open_at(out: *mut c_int) -> c_int {
    // SAFETY: a place for the number, as the manual asks for.
    unsafe {
        *out = number_open();
        if *out == -2 { 1 } else { 0 }
    }
}

pub unsafe extern "C" fn number_close(number: c_int) {
    note(&format!("number_close {number}"));
    let mut numbers = numbers();
    assert!(numbers.0.contains(&number), "it is closed once");
    numbers.0.retain(|other| *other != number);
    numbers.1.retain(|other| *other != number);
}

/// Waits until it is woken.
pub unsafe extern "C" fn number_wait(number: c_int) -> c_int {
    let mut numbers = numbers();
    while !numbers.1.contains(&number) {
        numbers = WOKEN.wait(numbers).unwrap_or_else(PoisonError::into_inner);
    }
    number
}

pub unsafe extern "C" fn number_wake(number: c_int) {
    numbers().1.push(number);
    WOKEN.notify_all();
}

pub type asked = Option<unsafe extern "C" fn(*mut c_void) -> c_int>;
pub type told = Option<unsafe extern "C" fn(*mut feed, *mut c_void) -> c_int>;

#[repr(C)]
pub struct feed {
    pub asked: asked,
    data: *mut c_void,
}

pub unsafe extern "C" fn feed_new() -> *mut feed {
    note("feed_new");
    Box::into_raw(Box::new(feed {
        asked: None,
        data: std::ptr::null_mut(),
    }))
}

pub unsafe extern "C" fn feed_free(feed: *mut feed) {
    note("feed_free");
    // SAFETY: what `feed_new` gave, given back once.
    drop(unsafe { Box::from_raw(feed) });
}

pub unsafe extern "C" fn feed_ask(feed: *mut feed, asked: asked, data: *mut c_void) {
    // SAFETY: a valid feed.
    unsafe {
        (*feed).asked = asked;
        (*feed).data = data;
    }
}

/// Asks for the next number, if anybody is there to ask.
/// Calls `told` with the feed.
pub unsafe extern "C" fn feed_tell(feed: *mut feed, told: told, data: *mut c_void) -> c_int {
    // SAFETY: the caller passes a valid feed, and data that belongs to the function.
    told.map_or(0, |told| unsafe { told(feed, data) })
}

pub unsafe extern "C" fn feed_next(feed: *mut feed) -> c_int {
    // SAFETY: a valid feed, and what it was given with `feed_ask`.
    unsafe { (*feed).asked.map_or(-1, |asked| asked((*feed).data)) }
}

/// A folder with one paper, which knows its folder.
pub struct folder {
    paper: *mut paper,
}

pub struct paper {
    pub folder: *mut folder,
    pub number: c_int,
}

pub unsafe extern "C" fn folder_new(number: c_int) -> *mut folder {
    let folder = Box::into_raw(Box::new(folder {
        paper: std::ptr::null_mut(),
    }));
    let paper = Box::into_raw(Box::new(paper { folder, number }));
    // SAFETY: the folder was just made.
    unsafe { (*folder).paper = paper };
    folder
}

pub unsafe extern "C" fn folder_free(folder: *mut folder) {
    // SAFETY: a valid folder, given back once, as its paper is.
    unsafe {
        let folder = Box::from_raw(folder);
        drop(Box::from_raw(folder.paper));
    }
}

pub unsafe extern "C" fn folder_paper(folder: *mut folder) -> *mut paper {
    // SAFETY: a valid folder.
    unsafe { (*folder).paper }
}

/// A clip on a folder, with a folder of its own.
pub struct clip {
    own: *mut folder,
}

pub unsafe extern "C" fn clip_new(_folder: *mut folder, number: c_int) -> *mut clip {
    // SAFETY: it may always be called.
    let own = unsafe { folder_new(number) };
    Box::into_raw(Box::new(clip { own }))
}

pub unsafe extern "C" fn clip_free(clip: *mut clip) {
    // SAFETY: a valid clip, given back once, and so is its folder.
    unsafe { folder_free(Box::from_raw(clip).own) };
}

pub unsafe extern "C" fn clip_folder(clip: *mut clip) -> *mut folder {
    // SAFETY: a valid clip.
    unsafe { (*clip).own }
}

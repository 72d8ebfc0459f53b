//! Children of handles that C lends to a callback, and frees as soon as the callback has returned.

use leakproof::prelude::*;

use crate::native::{Native, live, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, release, touch};

    pub type visit = Option<unsafe extern "C" fn(*mut room, *mut c_void)>;

    pub struct room {
        visitors: c_int,
    }
    pub struct key {
        room: *mut room,
    }
    pub struct tag {
        key: *mut key,
    }
    pub struct locker {
        size: c_int,
    }

    /// Lends a room to the callback, and frees it.
    pub unsafe extern "C" fn room_open(visit: visit, data: *mut c_void) {
        let room = acquire("Room", room { visitors: 0 });
        unsafe { visit.unwrap()(room, data) };
        release(room);
    }

    pub unsafe extern "C" fn room_new() -> *mut room {
        acquire("Room", room { visitors: 0 })
    }

    pub unsafe extern "C" fn room_free(room: *mut room) {
        release(room);
    }

    pub unsafe extern "C" fn room_visit(room: *mut room, visit: visit, data: *mut c_void) {
        touch(room);
        unsafe { visit.unwrap()(room, data) };
    }

    pub unsafe extern "C" fn room_key(room: *mut room) -> *mut key {
        touch(room);
        acquire("Key", key { room })
    }

    pub unsafe extern "C" fn key_free(key: *mut key) {
        touch(unsafe { (*key).room });
        unsafe { (*(*key).room).visitors += 1 };
        release(key);
    }

    pub unsafe extern "C" fn key_tag(key: *mut key) -> *mut tag {
        touch(key);
        acquire("Tag", tag { key })
    }

    pub unsafe extern "C" fn tag_free(tag: *mut tag) {
        touch(unsafe { (*tag).key });
        touch(unsafe { (*(*tag).key).room });
        release(tag);
    }

    pub unsafe extern "C" fn locker_new() -> *mut locker {
        acquire("Locker", locker { size: 1 })
    }

    pub unsafe extern "C" fn locker_size(locker: *mut locker) -> c_int {
        touch(locker);
        unsafe { (*locker).size }
    }

    pub unsafe extern "C" fn locker_free(locker: *mut locker) {
        release(locker);
    }
}

#[handle(raw = ffi::room, release = ffi::room_free, fork_safe)]
struct Room;

#[handle(raw = ffi::key, release = ffi::key_free, parent = Room, fork_safe)]
struct Key;

#[handle(raw = ffi::tag, release = ffi::tag_free, parent = Key, fork_safe)]
struct Tag;

#[handle(raw = ffi::locker, release = ffi::locker_free, fork_safe)]
struct Locker;

/// A room that C lends to callbacks only.
#[handle(raw = ffi::room, callback_only)]
struct LentRoom;

struct VisitLent(fn(&Room));

impl Attachment for VisitLent {}

#[callbacks(unsafe)]
impl VisitLent {
    #[callback(ffi::visit, args = (room, data))]
    fn room(&self, room: &LentRoom) {
        (self.0)(&room.room().unwrap());
    }
}

#[methods(unsafe, rust_only)]
impl LentRoom {
    #[field(self)]
    fn room(&self) -> Option<Borrowed<Room>>;
}

struct Visit(fn(&Room));

impl Attachment for Visit {}

#[callbacks(unsafe)]
impl Visit {
    #[callback(ffi::visit, args = (room, data))]
    fn room(&self, room: &Room) {
        (self.0)(room);
    }
}

#[methods(unsafe, rust_only)]
impl Room {
    #[calls(ffi::room_open, args = (visit.room, visit.data))]
    fn open(visit: &Visit);

    #[calls(ffi::room_open, args = (visit.room, visit.data))]
    fn open_lent(visit: &VisitLent);

    #[calls(ffi::room_visit, args = (self, visit.room, visit.data))]
    fn visit(&self, visit: &Visit);

    #[calls(ffi::room_visit, args = (self, visit.room, visit.data))]
    fn visit_lent(&self, visit: &VisitLent);

    #[calls(ffi::room_new, fails = null)]
    fn new() -> Result<Owned<Room>>;

    #[calls(ffi::room_key, fails = null)]
    fn key(&self) -> Result<Owned<Key>>;
}

#[methods(unsafe, rust_only)]
impl Key {
    #[calls(ffi::key_tag, fails = null)]
    fn tag(&self) -> Result<Owned<Tag>>;
}

#[methods(unsafe, rust_only)]
impl Locker {
    #[calls(ffi::locker_new, fails = null)]
    fn new() -> Result<Owned<Locker>>;

    #[calls(ffi::locker_size)]
    fn size(&self) -> i32;
}

#[test]
fn child_of_a_handle_of_c_s_own_is_released_before_the_callback_returns() {
    let _native = Native::start();
    Room::open(&Visit(|room| drop(room.key().unwrap())));
    assert_eq!(log(), ["release Key", "release Room"]);
}

#[test]
fn child_of_a_handle_that_two_callbacks_have_is_released_before_the_outer_one_returns() {
    let _native = Native::start();
    Room::open(&Visit(|room| {
        room.visit(&Visit(|room| drop(room.key().unwrap())));
        assert_eq!(log(), [""; 0]);
    }));
    assert_eq!(log(), ["release Key", "release Room"]);
}

/// Set in the process in which the child is leaked.
const LEAKING: &str = "LEAKPROOF_TEST_LEAKING";

/// Runs the test in a process of its own, and returns the reports of leaked handles; in that process, returns `None`.
fn reports_of(test: &str) -> Option<Vec<String>> {
    if std::env::var_os(LEAKING).is_some() {
        return None;
    }
    let mut process = std::process::Command::new(std::env::current_exe().unwrap());
    let name = format!("lent_parents::{test}");
    let process = process.args(["--exact", &name, "--nocapture"]);
    let output = process.env(LEAKING, "").output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let words = text.lines().filter_map(|line| {
        let (_, report) = line.split_once("leakproof: a ")?;
        report
            .contains("is leaked")
            .then(|| report.split(' ').next())?
    });
    Some(words.map(str::to_owned).collect())
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn child_is_leaked_where_an_outer_callback_has_another_handle_of_c_s_own() {
    let name = "child_is_leaked_where_an_outer_callback_has_another_handle_of_c_s_own";
    if let Some(reports) = reports_of(name) {
        assert_eq!(reports, ["Key"]);
        return;
    }
    let mut native = Native::start();
    Room::open(&Visit(|_| {
        Room::open(&Visit(|room| drop(room.key().unwrap())));
    }));
    assert_eq!(log(), ["release Room", "release Room"]);
    native.loses("Key");
    native.counts("Key");
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn child_of_what_a_lent_handle_lends_is_leaked_where_an_outer_callback_has_another_handle() {
    let name =
        "child_of_what_a_lent_handle_lends_is_leaked_where_an_outer_callback_has_another_handle";
    if let Some(reports) = reports_of(name) {
        assert_eq!(reports, ["Key"]);
        return;
    }
    let mut native = Native::start();
    Room::open(&Visit(|_| {
        Room::open_lent(&VisitLent(|room| drop(room.key().unwrap())));
    }));
    assert_eq!(log(), ["release Room", "release Room"]);
    native.loses("Key");
    native.counts("Key");
}

#[test]
fn child_of_a_handle_of_ours_that_a_lent_handle_lends_is_released() {
    let _native = Native::start();
    Room::open(&Visit(|_| {
        let room = Room::new().unwrap();
        room.visit_lent(&VisitLent(|room| drop(room.key().unwrap())));
        assert_eq!(log(), [""; 0]);
    }));
    assert_eq!(log().len(), 3);
    assert_eq!(live("Key"), 0);
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn parent_of_a_leaked_child_is_leaked_and_reported() {
    if let Some(reports) = reports_of("parent_of_a_leaked_child_is_leaked_and_reported") {
        assert_eq!(reports, ["Key", "Tag"]);
        return;
    }
    let mut native = Native::start();
    Room::open(&Visit(|_| {
        Room::open(&Visit(|room| {
            let key = room.key().unwrap();
            drop(key.tag().unwrap());
        }));
    }));
    assert_eq!(log(), ["release Room", "release Room"]);
    for name in ["Key", "Tag"] {
        native.loses(name);
        native.counts(name);
    }
}

#[test]
fn release_that_a_callback_holds_back_is_run_by_no_other_thread() {
    let _native = Native::start();
    Room::open(&Visit(|_| {
        drop(Locker::new().unwrap());
        let other = std::thread::spawn(|| {
            let locker = Locker::new().unwrap();
            assert_eq!(locker.size(), 1);
        });
        other.join().unwrap();
        assert_eq!(live("Locker"), 1);
    }));
    assert_eq!(log(), ["release Locker", "release Room"]);
}

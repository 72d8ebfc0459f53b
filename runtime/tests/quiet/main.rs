//! Releases in a process in which C never calls back. A release there takes the shortest way, which no other test does:
//! in each of them, a handle that keeps callbacks was made.

use std::ffi::c_int;

use leakproof::live_handles;
use leakproof::prelude::*;

mod counted;
#[path = "../soundness/edited_by_code.rs"]
mod edited_by_code;
#[path = "../library/mod.rs"]
mod library;
#[allow(dead_code, reason = "the tests here count less")]
#[path = "../soundness/native.rs"]
mod native;
#[path = "../soundness/panic_of.rs"]
mod panic_of;

use panic_of::panic_of;

use library as ffi;

#[handle(raw = ffi::folder, release = ffi::folder_free, fork_safe)]
struct Folder;

#[methods(unsafe, rust_only)]
impl Folder {
    #[calls(ffi::folder_new, fails = null)]
    fn new(number: c_int) -> Result<Owned<Folder>>;

    #[calls(ffi::clip_new, fails = null)]
    fn clip(&self, number: c_int) -> Result<Owned<Clip>>;
}

#[handle(raw = ffi::clip, release = ffi::clip_free, parent = Folder, fork_safe)]
struct Clip;

/// The number of live folders and clips. One test counts them, as they are counted for the whole process.
fn live() -> (isize, isize) {
    let all = live_handles();
    (all["Folder"], all["Clip"])
}

#[test]
fn parent_of_a_forgotten_child_is_not_released() {
    let mut native = native::Native::start();
    native.counts("Folder");
    native.counts("Clip");
    let alone = Folder::new(1).unwrap();
    assert_eq!(live(), (1, 0));
    drop(alone);
    assert_eq!(live(), (0, 0));
    let parent = Folder::new(2).unwrap();
    drop(parent.clip(3).unwrap());
    assert_eq!(live(), (1, 0));
    std::mem::forget(parent.clip(4).unwrap());
    drop(parent);
    assert_eq!(live(), (1, 1));
}

//! A forked child, for tests.

use std::ffi::{c_int, c_uint};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Fails unless `child` returns true in a forked child.
#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what the system offers, called as its manuals say"
)]
pub(crate) fn in_forked_child(child: impl FnOnce() -> bool) {
    unsafe extern "C" {
        fn fork() -> c_int;
        fn waitpid(process: c_int, status: *mut c_int, options: c_int) -> c_int;
        fn _exit(status: c_int) -> !;
        fn alarm(seconds: c_uint) -> c_uint;
    }
    let process = unsafe { fork() };
    if process == 0 {
        unsafe { alarm(20) };
        let good = catch_unwind(AssertUnwindSafe(child)).unwrap_or(false);
        unsafe { _exit(if good { 0 } else { 1 }) };
    }
    let mut status = -1;
    assert_eq!(unsafe { waitpid(process, &raw mut status, 0) }, process);
    assert_eq!(status, 0, "the child hangs or fails");
}

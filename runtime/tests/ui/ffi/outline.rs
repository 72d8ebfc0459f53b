//! Outlines: trees of topics.

use std::ffi::{c_int, c_void};

pub struct Outline {
    pub root: *mut Topic,
}
pub struct Topic {
    pub kind: c_int,
    pub outline: *mut Outline,
    pub up: *mut Topic,
    pub first: *mut Topic,
    pub next: *mut Topic,
    pub user: *mut c_void,
}

/// Makes an outline for the library, with the user data.
pub type MakeFn = Option<unsafe extern "C" fn(*mut c_void) -> *mut Outline>;

pub unsafe extern "C" fn outline_free(_: *mut Outline) {}
pub unsafe extern "C" fn outline_draft(it: *mut Outline) -> *mut Outline {
    it
}
pub unsafe extern "C" fn outline_retain(_: *mut Outline) {}
pub unsafe extern "C" fn outline_close(_: *mut Outline) -> c_int {
    0
}
pub unsafe extern "C" fn topic_free(_: *mut Topic) {}
pub unsafe extern "C" fn topic_unlink(_: *mut Topic) {}
pub unsafe extern "C" fn outline_merge(_: *mut Outline, _: *mut Outline) -> c_int {
    0
}

//! Feeds: a stored callback, and one that is called during a call.

use std::ffi::{c_int, c_void};

use super::control::note;

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
    // SAFETY: a pointer from `feed_new`, released once.
    drop(unsafe { Box::from_raw(feed) });
}

pub unsafe extern "C" fn feed_ask(feed: *mut feed, asked: asked, data: *mut c_void) {
    // SAFETY: a valid feed.
    unsafe {
        (*feed).asked = asked;
        (*feed).data = data;
    }
}

/// Calls `told` with the feed.
pub unsafe extern "C" fn feed_tell(feed: *mut feed, told: told, data: *mut c_void) -> c_int {
    // SAFETY: the caller passes a valid feed, and data that belongs to the function.
    told.map_or(0, |told| unsafe { told(feed, data) })
}

/// The next number of the stored callback; -1 without a callback.
pub unsafe extern "C" fn feed_next(feed: *mut feed) -> c_int {
    // SAFETY: a valid feed, and what it was given with `feed_ask`.
    unsafe { (*feed).asked.map_or(-1, |asked| asked((*feed).data)) }
}

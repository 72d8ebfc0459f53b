//! Cursors: children of a store, each a resource of its own.

use std::ffi::c_int;
use std::ptr;

use super::control::{acquire, fails, release};
use super::stores::store;

/// A cursor. Its store outlives it.
#[repr(C)]
pub struct cursor {
    store: *mut store,
    position: c_int,
}

pub unsafe extern "C" fn cursor_new(store: *mut store) -> *mut cursor {
    // SAFETY: as above.
    if unsafe { fails(&raw const (*store).report) } {
        return ptr::null_mut();
    }
    acquire("cursor_new", cursor { store, position: 0 })
}

/// Reads the store, as a release function may.
pub unsafe extern "C" fn cursor_free(cursor: *mut cursor) -> c_int {
    // SAFETY: a valid cursor, whose store is still there.
    let reads = unsafe { (*(*cursor).store).stats.reads };
    release("cursor_free", cursor);
    reads
}

/// The new position.
pub unsafe extern "C" fn cursor_step(cursor: *mut cursor) -> c_int {
    // SAFETY: a valid cursor.
    unsafe {
        (*cursor).position += 1;
        (*cursor).position
    }
}

/// A copy of the cursor; NULL at the end, which is no failure.
pub unsafe extern "C" fn cursor_copy(cursor: *mut cursor) -> *mut cursor {
    // SAFETY: a valid cursor.
    let cursor { store, position } = unsafe { &*cursor };
    if *position >= 2 {
        return ptr::null_mut();
    }
    acquire(
        "cursor_copy",
        cursor {
            store: *store,
            position: *position,
        },
    )
}

/// A cursor and its position. A failing call leaves an invalid pointer in `out`.
pub unsafe extern "C" fn cursor_make(
    store: *mut store,
    out: *mut *mut cursor,
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

/// Two cursors. A failing call makes only the second one.
pub unsafe extern "C" fn cursor_pair(
    store: *mut store,
    first: *mut *mut cursor,
    second: *mut *mut cursor,
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

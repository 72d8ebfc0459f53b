//! Sessions, whose close can be refused, and the queries of a session.

use std::ffi::c_int;

use super::control::{acquire, note, pass_gate, release};
use super::parcels::{parcel, parcel_free};
use super::shapes::{shape, shape_unref};

/// A session. It can refuse to be closed.
#[repr(C)]
pub struct session {
    pub busy: c_int,
    queries: c_int,
}

pub unsafe extern "C" fn session_new() -> *mut session {
    acquire(
        "session_new",
        session {
            busy: 0,
            queries: 0,
        },
    )
}

/// A session in `out`; 1 for a negative number, with a session that the caller asks for the error and closes.
pub unsafe extern "C" fn session_open(busy: c_int, out: *mut *mut session) -> c_int {
    let session = acquire("session_open", session { busy, queries: 0 });
    // SAFETY: a place for the result, as the manual asks for.
    unsafe { *out = session };
    if busy < 0 { 1 } else { 0 }
}

/// 5 if the session is kept; 6 if it is closed and lost data; else 0.
pub unsafe extern "C" fn session_close(session: *mut session) -> c_int {
    // SAFETY: a valid session, whose queries are gone.
    let busy = unsafe {
        assert_eq!((*session).queries, 0, "queries are closed first");
        (*session).busy
    };
    if busy == 5 {
        note("session kept");
        return 5;
    }
    release("session_close", session);
    if busy == 6 { 6 } else { 0 }
}

/// Ends the session and returns `busy`; -1 if `busy` is 7, and the session is kept.
pub unsafe extern "C" fn session_commit(session: *mut session) -> c_int {
    // SAFETY: a valid session, whose queries are gone.
    unsafe {
        assert_eq!((*session).queries, 0, "queries are closed first");
        if (*session).busy == 7 {
            return -1;
        }
        let busy = (*session).busy;
        release("session_commit", session);
        busy
    }
}

/// Ends the session in any case.
pub unsafe extern "C" fn session_abort(session: *mut session) {
    release("session_abort", session);
}

pub unsafe extern "C" fn session_work(_session: *mut session) -> c_int {
    pass_gate();
    0
}

/// Takes the parcel over; -1 if the parcel is too heavy and stays with the caller.
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

/// Takes the parcel over; -1 if the parcel is too heavy and was destroyed.
pub unsafe extern "C" fn session_throw(session: *mut session, parcel: *mut parcel) -> c_int {
    // SAFETY: valid handles.
    let status = unsafe { session_send(session, parcel) };
    if status < 0 {
        // SAFETY: it was left here.
        unsafe { parcel_free(parcel) };
    }
    status
}

/// Takes over one reference to the shape.
pub unsafe extern "C" fn session_keep(session: *mut session, shape: *mut shape) -> *mut session {
    // SAFETY: a valid shape.
    unsafe { shape_unref(shape) };
    session
}

/// A query. It can refuse to be closed.
#[repr(C)]
pub struct query {
    session: *mut session,
    at: c_int,
    pub busy: c_int,
}

pub unsafe extern "C" fn query_open(session: *mut session) -> *mut query {
    // SAFETY: a valid session.
    unsafe { (*session).queries += 1 };
    note("query_open");
    Box::into_raw(Box::new(query {
        session,
        at: 0,
        busy: 0,
    }))
}

pub unsafe extern "C" fn query_close(query: *mut query) -> c_int {
    // SAFETY: a valid query, whose session is still there.
    unsafe {
        if (*query).busy == 5 {
            note("query kept");
            // The next attempt succeeds.
            (*query).busy = 0;
            return 5;
        }
        (*(*query).session).queries -= 1;
        drop(Box::from_raw(query));
    }
    note("query_close");
    0
}

/// The next number up to 3, then -1.
pub unsafe extern "C" fn query_next(query: *mut query) -> c_int {
    // SAFETY: a valid query.
    unsafe {
        (*query).at += 1;
        if (*query).at > 3 { -1 } else { (*query).at }
    }
}

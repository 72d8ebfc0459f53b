//! Parcels, the tags of a parcel, boards that take a tag over, and ribbons between a board and a parcel.

use std::ffi::{c_int, c_void};

use super::control::{note, pass_gate};

/// A parcel, which a session can take over.
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

pub unsafe extern "C" fn parcel_reweigh(parcel: *mut parcel, weight: c_int) -> c_int {
    note("parcel_reweigh");
    // SAFETY: a valid parcel.
    unsafe { (*parcel).weight = weight };
    0
}

/// The bytes of the weight.
pub unsafe extern "C" fn parcel_memory(parcel: *const parcel) -> *const c_void {
    // SAFETY: a valid parcel.
    unsafe { (&raw const (*parcel).weight).cast() }
}

pub unsafe extern "C" fn parcel_memory_size(_parcel: *const parcel) -> usize {
    size_of::<c_int>()
}

pub unsafe extern "C" fn parcel_free(parcel: *mut parcel) {
    note("parcel_free");
    // SAFETY: a valid parcel, released once, without its tags.
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

/// A board, which takes over at most one tag.
pub struct board {
    tag: *mut tag,
}

pub unsafe extern "C" fn board_new() -> *mut board {
    note("board_new");
    let tag = std::ptr::null_mut();
    Box::into_raw(Box::new(board { tag }))
}

/// Takes the tag over; -1 if the board has one.
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

/// Waits at the gate before the tag is freed.
pub unsafe extern "C" fn board_free(board: *mut board) {
    pass_gate();
    // SAFETY: a valid board, released once; the parcel of its tag is still there.
    unsafe {
        if !(*board).tag.is_null() {
            tag_free((*board).tag);
        }
        note("board_free");
        drop(Box::from_raw(board));
    }
}

/// A ribbon from a board to a parcel.
pub struct ribbon {
    parcel: *mut parcel,
}

/// Ties the board to `parcel`, which lies beside the other one.
pub unsafe extern "C" fn board_ribbon(
    _board: *mut board,
    _beside: *const parcel,
    parcel: *mut parcel,
) -> *mut ribbon {
    note("board_ribbon");
    // SAFETY: a valid parcel.
    unsafe { (*parcel).tags += 1 };
    Box::into_raw(Box::new(ribbon { parcel }))
}

pub unsafe extern "C" fn ribbon_weight(ribbon: *const ribbon) -> c_int {
    pass_gate();
    // SAFETY: a valid ribbon, whose parcel is still there.
    unsafe { (*(*ribbon).parcel).weight }
}

pub unsafe extern "C" fn ribbon_free(ribbon: *mut ribbon) {
    note("ribbon_free");
    // SAFETY: a valid ribbon, whose parcel is still there.
    unsafe {
        (*(*ribbon).parcel).tags -= 1;
        drop(Box::from_raw(ribbon));
    }
}

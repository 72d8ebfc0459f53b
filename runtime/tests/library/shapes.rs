//! Shapes: reference-counted objects that can contain one another.

use std::ffi::c_int;

use super::control::{acquire, note, pass_gate, release_unseen};

/// A reference-counted object.
#[repr(C)]
pub struct shape {
    owners: c_int,
    pub child: *mut shape,
}

pub unsafe extern "C" fn shape_new(child: *mut shape) -> *mut shape {
    // SAFETY: NULL, or a valid shape, which gets one owner more.
    unsafe {
        if !child.is_null() {
            shape_ref(child);
        }
    }
    acquire("shape_new", shape { owners: 1, child })
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
        note(format!("shape_unref to {}", (*shape).owners));
        if (*shape).owners == 0 {
            let child = (*shape).child;
            release_unseen(shape);
            if !child.is_null() {
                shape_unref(child);
            }
        }
    }
}

/// The child, without a reference for the caller.
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
    note(format!("worked with {}", unsafe { (*shape).owners }));
    0
}

pub unsafe extern "C" fn shape_meet(_shape: *mut shape, _other: *const shape) -> c_int {
    0
}

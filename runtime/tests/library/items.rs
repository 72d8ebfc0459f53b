//! Items: children of a store, with memory of their own.

use std::ffi::{c_int, c_void};

use super::control::{note, pass_gate};
use super::stores::store;

#[repr(C)]
pub struct item {
    store: *mut store,
    memory: [u8; 4],
}

/// The memory of the item.
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

/// Reads the store, as a release function may.
pub unsafe extern "C" fn item_free(item: *mut item) {
    // SAFETY: a pointer from `item_new`, released once, before its store.
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

/// Writes to the memory of the item.
pub unsafe extern "C" fn item_overwrite(item: *mut item, byte: u8) -> c_int {
    // SAFETY: a valid item.
    unsafe { (*item).memory = [byte; 4] };
    0
}

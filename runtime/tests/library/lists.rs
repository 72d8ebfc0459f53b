//! Lists, whose nodes move when they grow, and editors of a list.

use std::ffi::c_int;
use std::time::Duration;

use super::control::{note, pass_gate};

/// A list, whose nodes move when it grows.
#[repr(C)]
pub struct list {
    nodes: *mut node,
    count: usize,
    kept: *mut editor,
}

#[repr(C)]
pub struct node {
    pub number: c_int,
    pub next: *mut node,
}

pub unsafe extern "C" fn list_new() -> *mut list {
    Box::into_raw(Box::new(list {
        nodes: std::ptr::null_mut(),
        count: 0,
        kept: std::ptr::null_mut(),
    }))
}

pub unsafe extern "C" fn list_free(list: *mut list) {
    // SAFETY: a valid list, released once; its nodes are one block.
    unsafe {
        free_editor((*list).kept);
        let list = Box::from_raw(list);
        free_nodes(list.nodes, list.count);
    }
}

unsafe fn free_nodes(nodes: *mut node, count: usize) {
    if !nodes.is_null() {
        // SAFETY: as `list_push` made them.
        drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(nodes, count)) });
    }
}

/// Appends a number. Every node moves.
pub unsafe extern "C" fn list_push(list: *mut list, number: c_int) -> c_int {
    // SAFETY: a valid list.
    unsafe {
        let old = (0..(*list).count).map(|index| (*(*list).nodes.add(index)).number);
        let fresh = old.chain([number]).map(|number| node {
            number,
            next: std::ptr::null_mut(),
        });
        let mut fresh: Vec<node> = fresh.collect();
        let start = fresh.as_mut_ptr();
        for index in 1..fresh.len() {
            fresh[index - 1].next = start.add(index);
        }
        free_nodes((*list).nodes, (*list).count);
        (*list).count = fresh.len();
        (*list).nodes = Box::into_raw(fresh.into_boxed_slice()).cast();
    }
    0
}

/// Waits at the gate, then returns the number of nodes.
pub unsafe extern "C" fn list_look(list: *const list) -> c_int {
    pass_gate();
    // SAFETY: a valid list.
    c_int::try_from(unsafe { (*list).count }).unwrap_or(c_int::MAX)
}

pub unsafe extern "C" fn list_first(list: *const list) -> *mut node {
    // SAFETY: a valid list.
    unsafe { (*list).nodes }
}

/// Sleeps, and takes no lock.
pub unsafe extern "C" fn list_sleep(_list: *mut list, milliseconds: u32) -> c_int {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
    0
}

pub unsafe extern "C" fn list_meet(_list: *mut list, _node: *mut node) -> c_int {
    0
}

/// An editor, which appends to its list.
#[repr(C)]
pub struct editor {
    list: *mut list,
    kept: *mut editor,
}

pub unsafe extern "C" fn editor_new(list: *mut list) -> *mut editor {
    Box::into_raw(Box::new(editor {
        list,
        kept: std::ptr::null_mut(),
    }))
}

pub unsafe extern "C" fn editor_free(editor: *mut editor) {
    // SAFETY: a valid editor, released once with the one that it keeps; the list is valid.
    unsafe {
        free_editor((*editor).kept);
        editor_count(editor);
        drop(Box::from_raw(editor));
    }
    note("editor_free");
}

unsafe fn free_editor(editor: *mut editor) {
    if !editor.is_null() {
        // SAFETY: it is kept in one place.
        unsafe { editor_free(editor) };
    }
}

/// Keeps the editor until the list is freed, in place of one that the list keeps already.
pub unsafe extern "C" fn list_keep(list: *mut list, editor: *mut editor) -> c_int {
    // SAFETY: both are valid, and the editor is the list's from now on.
    unsafe { free_editor(std::mem::replace(&mut (*list).kept, editor)) };
    0
}

/// Has the kept editor, if there is one, append a number.
pub unsafe extern "C" fn list_push_by_editor(list: *mut list, number: c_int) -> c_int {
    // SAFETY: a valid list, and the editor that it keeps.
    unsafe {
        match (*list).kept.is_null() {
            true => -1,
            false => editor_push((*list).kept, number),
        }
    }
}

/// Keeps another editor of the same list until this one is freed.
pub unsafe extern "C" fn editor_keep(editor: *mut editor, other: *mut editor) -> c_int {
    // SAFETY: as in `list_keep`.
    unsafe { free_editor(std::mem::replace(&mut (*editor).kept, other)) };
    0
}

pub unsafe extern "C" fn editor_push(editor: *mut editor, number: c_int) -> c_int {
    // SAFETY: a valid editor, whose list outlives it.
    unsafe { list_push((*editor).list, number) }
}

pub unsafe extern "C" fn editor_count(editor: *mut editor) -> c_int {
    // SAFETY: as in `editor_push`.
    unsafe { c_int::try_from((*(*editor).list).count).unwrap_or(c_int::MAX) }
}

/// Waits at the gate.
pub unsafe extern "C" fn editor_work(_editor: *mut editor) -> c_int {
    pass_gate();
    0
}

//! The library itself, written in Rust as C would be: it waits where a test tells it to, and writes down what it does.

#![allow(unreachable_pub, reason = "as bindgen writes it")]
#![allow(non_camel_case_types, reason = "named as C names things")]

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

struct State {
    gate_closed: bool,
    at_gate: usize,
    log: Vec<String>,
}

static STATE: Mutex<State> = Mutex::new(State {
    gate_closed: false,
    at_gate: 0,
    log: Vec::new(),
});
static CHANGED: Condvar = Condvar::new();

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn set_gate(closed: bool) {
    state().gate_closed = closed;
    CHANGED.notify_all();
}

pub(crate) fn at_gate() -> usize {
    state().at_gate
}

pub(crate) fn take_log() -> Vec<String> {
    std::mem::take(&mut state().log)
}

fn note(what: &str) {
    state().log.push(what.into());
}

fn pass_gate() {
    let mut state = state();
    state.at_gate += 1;
    while state.gate_closed {
        state = CHANGED.wait(state).unwrap_or_else(PoisonError::into_inner);
    }
    state.at_gate -= 1;
}

#[repr(C)]
pub struct record {
    pub message: *const c_char,
}

pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;

#[repr(C)]
pub struct store {
    pub report: report,
}

pub unsafe extern "C" fn store_new() -> *mut store {
    note("store_new");
    Box::into_raw(Box::new(store { report: None }))
}

pub unsafe extern "C" fn store_free(store: *mut store) {
    note("store_free");
    // SAFETY: what `store_new` gave, given back once.
    drop(unsafe { Box::from_raw(store) });
}

/// Works for so long, then waits at the gate.
pub unsafe extern "C" fn store_work(_store: *mut store, milliseconds: u32) -> c_int {
    std::thread::sleep(Duration::from_millis(milliseconds.into()));
    pass_gate();
    note("worked");
    0
}

/// Reports `text` before the gate and behind it, then fails.
pub unsafe extern "C" fn store_fail(store: *const store, text: *const c_char) -> c_int {
    // SAFETY: a C string, as the manual asks for.
    let text = unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned();
    for place in ["before", "behind"] {
        if let Ok(message) = CString::new(format!("{text} {place}")) {
            let mut record = record {
                message: message.as_ptr(),
            };
            // SAFETY: the store is valid, and what hangs there may be called with a record.
            unsafe {
                if let Some(report) = (*store).report {
                    report(std::ptr::null_mut(), &raw mut record);
                }
            }
        }
        if place == "before" {
            pass_gate();
        }
    }
    -1
}

#[repr(C)]
pub struct item {
    store: *mut store,
}

pub unsafe extern "C" fn item_new(store: *mut store) -> *mut item {
    note("item_new");
    Box::into_raw(Box::new(item { store }))
}

pub unsafe extern "C" fn item_of_item(item: *mut item) -> *mut item {
    // SAFETY: a valid item.
    unsafe { item_new((*item).store) }
}

/// Looks at its store, as a release function may.
pub unsafe extern "C" fn item_free(item: *mut item) {
    // SAFETY: what `item_new` gave, given back once, before its store.
    let item = unsafe { Box::from_raw(item) };
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

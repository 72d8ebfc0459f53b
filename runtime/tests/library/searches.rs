//! Searches, which another thread can interrupt, and findings.

use std::ffi::{CStr, c_int, c_ulong, c_void};
use std::ptr;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use super::control::{note, record, report};

#[repr(C)]
pub struct search {
    pub report: report,
    pub end: c_int,
    pub interrupts: c_int,
    pub panics: bool,
    patience: c_int,
    stubborn: bool,
}

#[repr(C)]
pub struct finding {
    pub thread: c_ulong,
}

unsafe extern "C" {
    safe fn pthread_self() -> c_ulong;
}

pub unsafe extern "C" fn search_new(patience: c_int, stubborn: bool, panics: bool) -> *mut search {
    Box::into_raw(Box::new(search {
        report: None,
        end: 0,
        interrupts: 0,
        panics,
        patience,
        stubborn,
    }))
}

pub unsafe extern "C" fn search_free(search: *mut search) {
    // SAFETY: a pointer from `search_new`, released once.
    drop(unsafe { Box::from_raw(search) });
}

fn load(place: *mut c_int) -> c_int {
    // SAFETY: a field of a valid search, which is used so alone while the search works.
    unsafe { AtomicI32::from_ptr(place) }.load(Ordering::Relaxed)
}

unsafe fn tell(search: *mut search, message: &CStr) {
    let mut record = record {
        message: message.as_ptr(),
    };
    // SAFETY: the search is valid, and its callback may be called with a record.
    unsafe {
        if let Some(report) = (*search).report {
            report(ptr::null_mut(), &raw mut record);
        }
    }
}

/// Works until another thread ends the search; true if something was found.
unsafe fn work(search: *mut search) -> bool {
    loop {
        // SAFETY: the caller's search is valid.
        let (end, interrupts, patience, stubborn) = unsafe {
            (
                load(&raw mut (*search).end),
                load(&raw mut (*search).interrupts),
                (*search).patience,
                (*search).stubborn,
            )
        };
        if end == 1 || interrupts >= patience && stubborn {
            return true;
        }
        if end != 0 || interrupts >= patience {
            let message = if end == 0 {
                c"interrupted"
            } else {
                c"not found"
            };
            // SAFETY: as above.
            unsafe { tell(search, message) };
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

pub unsafe extern "C" fn search_run(search: *mut search) -> *mut finding {
    // SAFETY: the caller's search is valid.
    if !unsafe { work(search) } {
        return ptr::null_mut();
    }
    note("found");
    Box::into_raw(Box::new(finding {
        thread: pthread_self(),
    }))
}

pub unsafe extern "C" fn search_measure(
    search: *mut search,
    _memory: *const c_void,
    length: c_int,
    factor: c_int,
) -> c_int {
    // SAFETY: as above.
    if unsafe { work(search) } {
        factor * length
    } else {
        -1
    }
}

pub unsafe extern "C" fn search_interrupt(search: *mut search) {
    // SAFETY: as in `load`.
    unsafe { AtomicI32::from_ptr(&raw mut (*search).interrupts) }.fetch_add(1, Ordering::Relaxed);
}

pub unsafe extern "C" fn finding_free(finding: *mut finding) {
    note("finding_free");
    // SAFETY: a pointer from `search_run`, released once.
    drop(unsafe { Box::from_raw(finding) });
}

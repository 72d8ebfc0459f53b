//! A search that works until another thread ends it.

use std::ffi::{c_int, c_ulong};

use leakproof::prelude::*;

use crate::StoreErrors;

/// A search, which can be interrupted.
#[handle(raw = ffi::search, release = ffi::search_free, errors(StoreErrors, callback = report), fork_safe)]
pub struct Search;

#[methods(unsafe)]
impl Search {
    /// Makes a search that ends when it was interrupted so often; a stubborn one has found something then.
    #[new]
    #[calls(ffi::search_new, fails = null)]
    #[pyo3(signature = (patience = 1, stubborn = false, panics = false))]
    fn new(patience: c_int, stubborn: bool, panics: bool) -> Result<Owned<Search>>;

    /// Searches.
    #[calls(ffi::search_run, fails = null, detach, interrupt = Search::interrupt)]
    fn run(&self) -> Result<Owned<Finding>>;

    /// Searches, alone, and says a number and how long some memory is.
    #[calls(
        ffi::search_measure,
        args = (self, memory.ptr, memory.len, factor * 2),
        fails = negative,
        detach,
        interrupt = Search::interrupt
    )]
    fn measure(&mut self, memory: &[u8], factor: c_int) -> Result<c_int>;

    /// Lets the search end: with 1 it has found something, with 2 it fails.
    #[field(end, atomic)]
    fn finish(&self, end: c_int);

    /// How often the search was interrupted.
    #[getter]
    #[field(interrupts, atomic)]
    fn interrupts(&self) -> c_int;

    #[rust_only]
    #[field(panics)]
    fn panics(&self) -> bool;

    #[rust_only]
    #[calls(ffi::search_interrupt)]
    fn interrupt_once(&self);

    #[rust_only]
    fn interrupt(&self) {
        self.interrupt_once();
        assert!(!self.panics(), "the method that interrupts panics");
    }
}

impl ErrorSource<Search> for StoreErrors {
    fn into_error(self, _: &CallInfo<'_, Search>) -> Error {
        self.error()
    }
}

/// What a search has found.
#[handle(raw = ffi::finding, release = ffi::finding_free, parent = Search)]
pub struct Finding;

#[methods(unsafe)]
impl Finding {
    /// The thread that searched, as `threading.get_ident()` has it.
    #[getter]
    #[field(thread)]
    fn thread(&self) -> c_ulong;
}

/// The library itself, written as C would be.
mod ffi {
    #![allow(unreachable_pub, reason = "as bindgen writes it")]
    #![allow(non_camel_case_types, reason = "named as C names things")]

    use std::ffi::{CStr, c_int, c_ulong, c_void};
    use std::ptr;
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::time::Duration;

    use crate::ffi::{note, record, report};

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

    pub unsafe extern "C" fn search_new(
        patience: c_int,
        stubborn: bool,
        panics: bool,
    ) -> *mut search {
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
        // SAFETY: what `search_new` gave, given back once.
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
        // SAFETY: the search is valid, and what hangs there may be called with a record.
        unsafe {
            if let Some(report) = (*search).report {
                report(ptr::null_mut(), &raw mut record);
            }
        }
    }

    /// Works until something ends it; whether something was found.
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
        unsafe { AtomicI32::from_ptr(&raw mut (*search).interrupts) }
            .fetch_add(1, Ordering::Relaxed);
    }

    pub unsafe extern "C" fn finding_free(finding: *mut finding) {
        note("finding_free");
        // SAFETY: what `search_run` gave, given back once.
        drop(unsafe { Box::from_raw(finding) });
    }
}

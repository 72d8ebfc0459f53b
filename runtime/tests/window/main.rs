//! Calls and releases that began before the first callback of the process, and still run then. One test: each process
//! has one first callback. No method here gives C a handle to keep: then no call would be quiet.

use std::sync::mpsc::channel;

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::sync::mpsc::{Receiver, Sender};
    use std::sync::{Mutex, PoisonError};

    /// One of the library's list of all wells.
    pub struct well {
        pub depth: c_int,
    }
    pub type visit = Option<unsafe extern "C" fn(*mut well, *mut c_void)>;

    static ALL: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    /// The gate at which a slow function says that it has begun, and waits.
    pub static SLOW: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

    fn all() -> std::sync::MutexGuard<'static, Vec<usize>> {
        ALL.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait() {
        let slow = SLOW.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((begun, may_end)) = slow {
            let _ = begun.send(());
            let _ = may_end.recv();
        }
    }

    pub unsafe extern "C" fn well_new() -> *mut well {
        let well = Box::into_raw(Box::new(well { depth: 1 }));
        all().push(well.expose_provenance());
        well
    }

    /// Nothing else may be called on the well meanwhile: its depth is a wrong one.
    pub unsafe extern "C" fn well_dig(well: *mut well) {
        unsafe { (*well).depth = -1 };
        wait();
        unsafe { (*well).depth = 2 };
    }

    /// See [`well_dig`].
    pub unsafe extern "C" fn well_free(well: *mut well) {
        unsafe { (*well).depth = -1 };
        wait();
        all().retain(|other| *other != well.addr());
        drop(unsafe { Box::from_raw(well) });
    }

    pub unsafe extern "C" fn well_depth(well: *mut well) -> c_int {
        unsafe { (*well).depth }
    }

    /// Passes all wells to `visit`.
    pub unsafe extern "C" fn each_well(visit: visit, data: *mut c_void) -> c_int {
        let wells = all().clone();
        for well in wells {
            if let Some(visit) = visit {
                unsafe { visit(std::ptr::with_exposed_provenance_mut(well), data) };
            }
        }
        0
    }
}

#[handle(raw = ffi::well, release = ffi::well_free)]
struct Well;

#[methods(unsafe, rust_only)]
impl Well {
    #[calls(ffi::well_new, fails = null)]
    fn new() -> Result<Owned<Well>>;

    #[calls(ffi::well_dig)]
    fn dig(&mut self);

    #[calls(ffi::well_depth)]
    fn depth(&self) -> i32;

    #[calls(ffi::each_well, args = (depths.visit, depths.data), fails = nonzero)]
    fn each(depths: &Depths) -> Result<()>;
}

#[derive(Default, Attachment)]
struct Depths(std::sync::Mutex<Vec<i32>>);

#[callbacks(unsafe)]
impl Depths {
    #[callback(ffi::visit, args = (well, data))]
    fn visit(&self, well: &Well) {
        self.0.lock().unwrap().push(well.depth());
    }
}

/// Passes all wells to the first callback of the process, or a later one, while `slow` runs on another thread.
fn each_beside(slow: fn(Owned<'static, Well>)) -> (Result<()>, Vec<i32>) {
    let ((begun, has_begun), (ends, may_end)) = (channel(), channel());
    *ffi::SLOW.lock().unwrap() = Some((begun, may_end));
    let depths = Depths::default();
    let passed = std::thread::scope(|scope| {
        scope.spawn(|| slow(Well::new().unwrap()));
        has_begun.recv().unwrap();
        let passed = Well::each(&depths);
        ends.send(()).unwrap();
        passed
    });
    (passed, depths.0.into_inner().unwrap())
}

#[test]
fn first_callback_does_not_get_a_handle_that_is_used_or_released_on_another_thread() {
    let which = std::env::var("WINDOW");
    match which.as_deref() {
        Ok("dig") => {
            let (passed, seen) = each_beside(|mut well| well.dig());
            assert!(matches!(passed, Err(Error::Busy("Well"))), "{passed:?}");
            assert!(seen.is_empty(), "{seen:?}");
        }
        Ok("free") => {
            let (passed, seen) = each_beside(drop);
            assert!(matches!(passed, Err(Error::Busy("Well"))), "{passed:?}");
            assert!(seen.is_empty(), "{seen:?}");
        }
        // Each in a process of its own.
        _ => {
            for which in ["dig", "free"] {
                let this = std::env::current_exe().unwrap();
                let name = "first_callback_does_not_get_a_handle_that_is_used_or_released_on_another_thread";
                let child = std::process::Command::new(this)
                    .args(["--exact", name])
                    .env("WINDOW", which)
                    .output()
                    .unwrap();
                let text = String::from_utf8_lossy(&child.stdout).into_owned();
                assert!(child.status.success(), "{which}: {text}");
            }
        }
    }
}

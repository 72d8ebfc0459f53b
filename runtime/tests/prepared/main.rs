//! A call whose arguments let C call back for the first time in the process: C then calls back in that call.

use std::cell::RefCell;

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};

    pub struct clock {
        pub ticks: c_int,
    }
    pub struct gong {
        _hangs: c_int,
    }
    pub type struck = Option<unsafe extern "C" fn(*mut c_void)>;

    thread_local! {
        static GONG: Cell<(struck, *mut c_void)> = const { Cell::new((None, std::ptr::null_mut())) };
    }

    pub unsafe extern "C" fn clock_new() -> *mut clock {
        Box::into_raw(Box::new(clock { ticks: 0 }))
    }

    pub unsafe extern "C" fn clock_free(clock: *mut clock) {
        drop(unsafe { Box::from_raw(clock) });
    }

    /// Strikes the gong of the thread, if there is one.
    pub unsafe extern "C" fn clock_tick(clock: *mut clock, ticks: c_int) -> c_int {
        let (struck, data) = GONG.get();
        if let Some(struck) = struck {
            unsafe { struck(data) };
        }
        unsafe { (*clock).ticks += ticks };
        unsafe { (*clock).ticks }
    }

    pub unsafe extern "C" fn gong_new() -> *mut gong {
        Box::into_raw(Box::new(gong { _hangs: 0 }))
    }

    pub unsafe extern "C" fn gong_free(gong: *mut gong) {
        GONG.set((None, std::ptr::null_mut()));
        drop(unsafe { Box::from_raw(gong) });
    }

    pub unsafe extern "C" fn gong_hang(_: *mut gong, struck: struck, data: *mut c_void) {
        GONG.set((struck, data));
    }
}

#[handle(raw = ffi::clock, release = ffi::clock_free)]
struct Clock;

#[handle(raw = ffi::gong, release = ffi::gong_free, attachments)]
struct Gong;

thread_local! {
    static HUNG: RefCell<Option<Owned<'static, Gong>>> = const { RefCell::new(None) };
}

/// Hangs a gong, and returns the number.
fn hang(number: i32) -> i32 {
    let mut gong = Gong::new().unwrap();
    gong.hang(Struck);
    HUNG.set(Some(gong));
    number
}

#[derive(Attachment)]
struct Struck;

#[callbacks(unsafe)]
impl Struck {
    #[callback(ffi::struck, args = (data))]
    #[allow(clippy::unused_self, reason = "as the annotation wants it")]
    fn call(&self) -> Result<()> {
        Err(Error::Value("the gong was struck".into()))
    }
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_new, fails = null)]
    fn new() -> Result<Owned<Clock>>;

    #[calls(ffi::clock_tick, args = (self, hang(ticks)), fails = negative)]
    fn tick(&self, ticks: i32) -> Result<i32>;
}

#[methods(unsafe, rust_only)]
impl Gong {
    #[calls(ffi::gong_new, fails = null)]
    fn new() -> Result<Owned<Gong>>;

    #[calls(ffi::gong_hang, args = (self, struck.call, struck.data), scope = handle)]
    fn hang(&mut self, struck: Struck);
}

#[test]
fn call_raises_what_a_callback_raised_that_its_arguments_gave_to_c() {
    let clock = Clock::new().unwrap();
    let ticked = clock.tick(1);
    drop(HUNG.take());
    assert_eq!(ticked.unwrap_err().to_string(), "the gong was struck");
}

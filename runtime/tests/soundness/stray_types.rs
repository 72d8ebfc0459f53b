//! Handles of C's own that a callback has, and handles that may have them in C, as their type says in some other way
//! than by a method with a receiver and a callback among its parameters.

use std::cell::{Cell, RefCell};

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut fish, *mut c_void)>;
    pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut fish)>;
    pub type see_lake = Option<unsafe extern "C" fn(*mut lake, *mut c_void) -> c_int>;

    pub struct fish {
        weight: c_int,
    }
    pub struct pond {
        fish: *mut fish,
        pub report: report,
        pub data: *mut c_void,
    }
    pub struct lake {
        fish: *mut fish,
    }

    thread_local! {
        /// The fish of the newest pond.
        static LAST: Cell<*mut fish> = const { Cell::new(null_mut()) };
        /// The lake of the running call.
        static LAKE: Cell<*mut lake> = const { Cell::new(null_mut()) };
        /// The user data of the running `show`.
        static DATA: Cell<*mut c_void> = const { Cell::new(null_mut()) };
    }

    pub unsafe extern "C" fn fish_new() -> *mut fish {
        acquire("Fish", fish { weight: 3 })
    }

    pub unsafe extern "C" fn fish_weight(fish: *mut fish) -> c_int {
        touch(fish);
        unsafe { (*fish).weight }
    }

    pub unsafe extern "C" fn fish_free(fish: *mut fish) {
        release(fish);
    }

    /// A pond with a fish.
    pub unsafe extern "C" fn pond_new() -> *mut pond {
        LAST.set(unsafe { fish_new() });
        let pond = pond {
            fish: LAST.get(),
            report: None,
            data: null_mut(),
        };
        acquire("Pond", pond)
    }

    /// Shows the fish of the newest pond.
    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        DATA.set(data);
        unsafe { see.unwrap()(LAST.get(), data) };
        DATA.set(null_mut());
    }

    /// Shows the fish, with the user data of the `show` that runs.
    pub unsafe extern "C" fn pond_show(pond: *mut pond, see: see) {
        touch(pond);
        unsafe { see.unwrap()((*pond).fish, DATA.get()) };
    }

    /// Reports the fish, and fails.
    pub unsafe extern "C" fn pond_check(pond: *mut pond) -> c_int {
        touch(pond);
        if let Some(report) = unsafe { (*pond).report } {
            unsafe { report((*pond).data, (*pond).fish) };
        }
        1
    }

    pub unsafe extern "C" fn pond_clear(pond: *mut pond) -> c_int {
        touch(pond);
        let fish = unsafe { std::mem::replace(&mut (*pond).fish, null_mut()) };
        if !fish.is_null() {
            release(fish);
        }
        0
    }

    pub unsafe extern "C" fn pond_free(pond: *mut pond) {
        unsafe { pond_clear(pond) };
        release(pond);
    }

    /// Shows the fish of a lake of C's own.
    pub unsafe extern "C" fn lake_show_fish(see: see, data: *mut c_void) {
        let fish = unsafe { fish_new() };
        let lake = acquire("Lake", lake { fish });
        LAKE.set(lake);
        unsafe { see.unwrap()(fish, data) };
        unsafe { lake_clear(lake) };
        release(lake);
    }

    /// Shows the lake of the call that runs.
    pub unsafe extern "C" fn lake_show(see: see_lake, data: *mut c_void) -> c_int {
        unsafe { see.unwrap()(LAKE.get(), data) }
    }

    pub unsafe extern "C" fn lake_fish(lake: *mut lake) -> *mut fish {
        touch(lake);
        unsafe { (*lake).fish }
    }

    pub unsafe extern "C" fn lake_clear(lake: *mut lake) {
        let fish = unsafe { std::mem::replace(&mut (*lake).fish, null_mut()) };
        if !fish.is_null() {
            release(fish);
        }
    }
}

#[handle(raw = ffi::fish, release = ffi::fish_free, fork_safe)]
struct Fish;

/// A pond whose type passes a callback that gets a fish, without a receiver.
#[handle(raw = ffi::pond, release = ffi::pond_free, fork_safe)]
struct Show;

/// A pond whose type makes fish without a receiver.
#[handle(raw = ffi::pond, release = ffi::pond_free, fork_safe)]
struct Hatchery;

/// A pond that passes a callback by the callback's constant.
#[handle(raw = ffi::pond, release = ffi::pond_free, fork_safe)]
struct Aquarium;

/// A pond whose errors report fish.
#[handle(raw = ffi::pond, release = ffi::pond_free, errors(Reports, callback = report), fork_safe)]
struct Farm;

/// A pond in which minnows live, and that has no method for them.
#[handle(raw = ffi::pond, release = ffi::pond_free, fork_safe)]
struct Tarn;

#[handle(raw = ffi::fish, release = ffi::fish_free, parent = Tarn, fork_safe)]
struct Minnow;

/// A lake that C lends to callbacks alone.
#[handle(raw = ffi::lake, callback_only)]
struct Lake;

#[derive(Default)]
struct Reports(i32);

impl ErrorSink for Reports {
    type Record = Fish;

    fn record(&mut self, fish: &Fish) {
        self.0 += fish.weight();
    }
}

impl ErrorSource<Farm> for Reports {
    fn into_error(self, _: &CallInfo<'_, Farm>) -> Error {
        Error::Value(format!("{} kg", self.0))
    }
}

type Hook = RefCell<Option<Box<dyn FnOnce()>>>;

thread_local! {
    /// The action of the next callback.
    static HOOK: Hook = const { RefCell::new(None) };
    /// The weight of all fish that callbacks saw.
    static SEEN: Cell<i32> = const { Cell::new(0) };
}

#[derive(Attachment)]
struct See;

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (fish, data))]
    fn fish(&self, fish: &Fish) {
        HOOK.take().into_iter().for_each(|run| run());
        SEEN.set(SEEN.get() + fish.weight());
    }

    #[callback(ffi::see, args = (minnow, data))]
    fn minnow(&self, minnow: &Minnow) {
        HOOK.take().into_iter().for_each(|run| run());
        SEEN.set(SEEN.get() + minnow.weight());
    }

    #[callback(ffi::see_lake, args = (lake, data), on_error = -1)]
    fn lake(&self, lake: &mut Lake) -> Result<i32> {
        assert_eq!(lake.fish().unwrap().weight(), 3);
        lake.clear();
        Ok(0)
    }
}

#[methods(unsafe, rust_only)]
impl Fish {
    #[calls(ffi::fish_weight)]
    fn weight(&self) -> i32;

    #[calls(ffi::show, args = (see.fish, see.data))]
    fn show(see: &See);

    #[calls(ffi::lake_show_fish, args = (see.fish, see.data))]
    fn show_in_lake(see: &See);

    #[calls(ffi::lake_show, args = (see.lake, see.data), fails = nonzero)]
    fn show_lake(see: &See) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Show {
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Show>>;

    #[calls(ffi::show, args = (see.fish, see.data))]
    fn show(see: &See);

    #[calls(ffi::pond_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Hatchery {
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Hatchery>>;

    #[calls(ffi::fish_new)]
    fn hatch() -> Option<Owned<Fish>>;

    #[calls(ffi::pond_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Aquarium {
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Aquarium>>;

    #[calls(ffi::pond_show, args = (self, See::FISH))]
    fn show(&self);

    #[calls(ffi::pond_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Farm {
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Farm>>;

    #[calls(ffi::pond_check, fails = nonzero)]
    fn check(&self) -> Result<()>;

    #[calls(ffi::pond_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Tarn {
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Tarn>>;

    #[calls(ffi::pond_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Minnow {
    #[calls(ffi::fish_weight)]
    fn weight(&self) -> i32;

    #[calls(ffi::show, args = (see.minnow, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl Lake {
    #[calls(ffi::lake_fish)]
    fn fish(&self) -> Option<Borrowed<Fish>>;

    #[calls(ffi::lake_clear)]
    fn clear(&mut self);
}

fn hook(run: impl FnOnce() + 'static) {
    HOOK.set(Some(Box::new(run)));
    SEEN.set(0);
}

#[track_caller]
fn assert_busy(refused: Result<()>) {
    assert!(matches!(refused, Err(Error::Busy("Fish"))), "{refused:?}");
}

#[test]
fn handle_is_not_changed_while_a_callback_has_one_that_a_method_of_the_type_passes_without_a_receiver()
 {
    let _native = Native::start();
    let mut show = Show::new().unwrap();
    hook(move || assert_busy(show.clear()));
    Show::show(&See);
    assert_eq!(SEEN.get(), 3);
}

#[test]
fn handle_is_not_changed_while_a_callback_has_one_that_a_method_of_the_type_makes_without_a_receiver()
 {
    let _native = Native::start();
    let mut hatchery = Hatchery::new().unwrap();
    drop(Hatchery::hatch());
    hook(move || assert_busy(hatchery.clear()));
    Fish::show(&See);
    assert_eq!(SEEN.get(), 3);
}

#[test]
fn handle_is_not_changed_while_a_callback_has_one_whose_type_says_that_it_lives_in_such_a_handle() {
    let _native = Native::start();
    let mut tarn = Tarn::new().unwrap();
    hook(move || {
        let refused = tarn.clear();
        assert!(matches!(refused, Err(Error::Busy("Minnow"))), "{refused:?}");
    });
    Minnow::show(&See);
    assert_eq!(SEEN.get(), 3);
}

#[test]
fn handle_is_not_changed_while_a_callback_has_one_that_the_type_passes_by_a_constant() {
    let _native = Native::start();
    let mut aquarium = Aquarium::new().unwrap();
    hook(move || {
        aquarium.show();
        assert_busy(aquarium.clear());
    });
    Fish::show(&See);
    assert_eq!(SEEN.get(), 6);
}

#[test]
fn handle_is_not_changed_while_a_callback_has_one_that_the_errors_of_the_type_report() {
    let _native = Native::start();
    let mut farm = Farm::new().unwrap();
    assert_eq!(farm.check().unwrap_err().to_string(), "3 kg");
    hook(move || assert_busy(farm.clear()));
    Fish::show(&See);
    assert_eq!(SEEN.get(), 3);
}

#[test]
fn handle_of_callbacks_is_not_changed_while_an_outer_callback_has_one_that_the_type_lends() {
    let _native = Native::start();
    hook(|| assert_busy(Fish::show_lake(&See)));
    Fish::show_in_lake(&See);
    assert_eq!(SEEN.get(), 3);
}

//! Values that an expression in `args` or `fields` makes on the way to what C gets: they stay until everything that C
//! took and returned has its owner, also where their `Drop` panics.

use std::sync::Mutex;

use leakproof::prelude::*;

use crate::native::{Native, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, note, release, touch};

    pub struct crate_ {
        pub weight: c_int,
    }
    pub struct bottle {
        _size: c_int,
    }

    pub unsafe extern "C" fn crate_new() -> *mut crate_ {
        acquire("Crate", crate_ { weight: 0 })
    }

    pub unsafe extern "C" fn crate_free(crate_: *mut crate_) {
        release(crate_);
    }

    pub unsafe extern "C" fn bottle_new(size: c_int) -> *mut bottle {
        note("made");
        acquire("Bottle", bottle { _size: size })
    }

    pub unsafe extern "C" fn bottle_free(bottle: *mut bottle) {
        release(bottle);
    }

    /// Takes the bottle, which it needs no longer.
    pub unsafe extern "C" fn crate_add(
        crate_: *mut crate_,
        bottle: *mut bottle,
        _: c_int,
    ) -> c_int {
        touch(crate_);
        unsafe { bottle_free(bottle) };
        0
    }

    /// Takes the bottle, which it needs no longer, and reads a field.
    pub unsafe extern "C" fn crate_weigh(crate_: *mut crate_, bottle: *mut bottle) -> c_int {
        unsafe { crate_add(crate_, bottle, (*crate_).weight) }
    }

    /// Reads the weight that is pointed at, on any thread.
    pub unsafe extern "C" fn crate_stack(_: *mut crate_, weight: *const c_int) -> c_int {
        super::event("stacked");
        unsafe { *weight }
    }
}

#[handle(raw = ffi::crate_, release = ffi::crate_free, fork_safe)]
struct Crate;

#[handle(raw = ffi::bottle, release = ffi::bottle_free, fork_safe)]
struct Bottle;

/// A value whose end panics.
struct Brittle(i32);

impl Brittle {
    fn number(&self) -> i32 {
        self.0
    }
}

impl Drop for Brittle {
    fn drop(&mut self) {
        panic!("broken");
    }
}

/// A weight in memory of its own, whose end is an event.
struct Scales(Box<i32>);

impl Scales {
    fn weight(&self) -> *const i32 {
        &raw const *self.0
    }
}

impl Drop for Scales {
    fn drop(&mut self) {
        *self.0 = -1;
        event("put away");
    }
}

/// The events of all threads.
static EVENTS: Mutex<Vec<&str>> = Mutex::new(Vec::new());

fn event(event: &'static str) {
    EVENTS.lock().unwrap().push(event);
}

#[methods(unsafe, rust_only)]
impl Bottle {
    #[calls(ffi::bottle_new, args = (Brittle(size).number()), fails = null)]
    fn of_size(size: i32) -> Result<Owned<Bottle>>;

    #[calls(ffi::bottle_new, args = (Brittle(size).number()))]
    fn perhaps_of_size(size: i32) -> Option<Owned<Bottle>>;

    #[calls(ffi::bottle_new, args = (1), fails = null)]
    fn new() -> Result<Owned<Bottle>>;
}

#[methods(unsafe, rust_only)]
impl Crate {
    #[calls(ffi::crate_new, fails = null)]
    fn new() -> Result<Owned<Crate>>;

    #[calls(ffi::crate_add, args = (self, bottle, Brittle(1).number()), consumes = always, fails = nonzero)]
    fn add(&mut self, bottle: Owned<Bottle>) -> Result<()>;

    #[calls(ffi::crate_add, args = (self, bottle, Brittle(1).number()), consumes = on_success, fails = nonzero)]
    fn try_add(&mut self, bottle: Owned<Bottle>) -> Result<()>;

    #[calls(ffi::crate_weigh, fields(weight = Brittle(1).number()), consumes = always, fails = nonzero)]
    fn weigh(&mut self, bottle: Owned<Bottle>) -> Result<()>;

    #[calls(ffi::crate_stack, args = (self, Scales(Box::new(7)).weight()), fails = negative)]
    fn stack(&self) -> Result<i32>;

    #[calls(ffi::crate_stack, args = (self, Scales(Box::new(7)).weight()), fails = negative, interrupt = Crate::stop, detach)]
    fn stack_aside(&self) -> Result<i32>;

    fn stop(&self) {
        let _ = self;
    }
}

#[test]
fn handle_that_c_has_is_not_released_where_the_end_of_an_argument_panics() {
    type Call = fn(&mut Crate, Owned<'_, Bottle>) -> Result<()>;
    let calls: [Call; 3] = [Crate::add, Crate::try_add, Crate::weigh];
    for call in calls {
        let _native = Native::start();
        let mut crate_ = Crate::new().unwrap();
        let bottle = Bottle::new().unwrap();
        note(panic_of(|| call(&mut crate_, bottle)));
        assert_eq!(log(), ["made", "release Bottle", "broken"]);
    }
}

#[test]
fn result_is_released_where_the_end_of_an_argument_panics() {
    let _native = Native::start();
    note(panic_of(|| drop(Bottle::of_size(2))));
    assert_eq!(log(), ["made", "release Bottle", "broken"]);
    note(panic_of(|| drop(Bottle::perhaps_of_size(2))));
    assert_eq!(log(), ["made", "release Bottle", "broken"]);
}

#[test]
fn argument_lasts_until_c_has_returned() {
    let calls: [fn(&Crate) -> Result<i32>; 2] = [Crate::stack, Crate::stack_aside];
    for call in calls {
        let _native = Native::start();
        let crate_ = Crate::new().unwrap();
        assert_eq!(call(&crate_).unwrap(), 7);
        let events = std::mem::take(&mut *EVENTS.lock().unwrap());
        assert_eq!(events, ["stacked", "put away"]);
    }
}

//! Handles of C's own that it passes to callbacks: nobody knows what they live in.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::{Native, live, log};

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

    pub type see = Option<unsafe extern "C" fn(*mut hen, *mut c_void)>;
    pub type see_gate = Option<unsafe extern "C" fn(*mut gate, *mut c_void)>;

    pub struct yard {
        pub gate: gate,
        hens: Vec<*mut hen>,
    }
    pub struct gate {
        pub yard: *mut yard,
    }
    pub struct hen {
        owners: c_int,
    }

    thread_local! {
        /// The yard that was made last.
        static LAST: Cell<*mut yard> = const { Cell::new(null_mut()) };
    }

    /// A yard with a hen.
    pub unsafe extern "C" fn yard_new() -> *mut yard {
        let gate = gate { yard: null_mut() };
        let hens = vec![unsafe { hen_new() }];
        let yard = acquire("Yard", yard { gate, hens });
        unsafe { (*yard).gate.yard = yard };
        LAST.set(yard);
        yard
    }

    pub unsafe extern "C" fn yard_add(yard: *mut yard, hen: *mut hen) {
        touch(yard);
        unsafe { (*yard).hens.push(hen) };
    }

    pub unsafe extern "C" fn yard_first(yard: *mut yard) -> *mut hen {
        touch(yard);
        unsafe { (*yard).hens.first() }.map_or(null_mut(), |hen| *hen)
    }

    pub unsafe extern "C" fn yard_hatch(yard: *mut yard) -> *mut hen {
        touch(yard);
        unsafe { hen_new() }
    }

    pub unsafe extern "C" fn yard_count(yard: *mut yard) -> c_int {
        touch(yard);
        unsafe { (*yard).hens.len() as c_int }
    }

    pub unsafe extern "C" fn yard_clear(yard: *mut yard) -> c_int {
        touch(yard);
        for hen in unsafe { std::mem::take(&mut (*yard).hens) } {
            unsafe { hen_free(hen) };
        }
        0
    }

    pub unsafe extern "C" fn yard_each(yard: *mut yard, see: see, data: *mut c_void) -> c_int {
        let hens = unsafe { (*yard).hens.clone() };
        hens.iter()
            .for_each(|hen| unsafe { see.unwrap()(*hen, data) });
        0
    }

    pub unsafe extern "C" fn yard_free(yard: *mut yard) {
        unsafe { yard_clear(yard) };
        release(yard);
    }

    pub unsafe extern "C" fn hen_new() -> *mut hen {
        acquire("Hen", hen { owners: 1 })
    }

    pub unsafe extern "C" fn hen_ref(hen: *mut hen) {
        touch(hen);
        unsafe { (*hen).owners += 1 };
    }

    pub unsafe extern "C" fn hen_free(hen: *mut hen) {
        touch(hen);
        unsafe { (*hen).owners -= 1 };
        if unsafe { (*hen).owners } == 0 {
            release(hen);
        }
    }

    pub unsafe extern "C" fn hen_lays(hen: *mut hen) -> c_int {
        touch(hen);
        unsafe { (*hen).owners }
    }

    pub unsafe extern "C" fn hen_lays_in(hen: *mut hen) -> *mut hen {
        touch(hen);
        unsafe { hen_new() }
    }

    pub unsafe extern "C" fn hen_rest(hen: *mut hen) -> c_int {
        touch(hen);
        0
    }

    /// Shows the first hen of the last yard.
    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        unsafe { see.unwrap()(yard_first(LAST.get()), data) };
    }

    /// Shows the gate of the last yard.
    pub unsafe extern "C" fn show_gate(see: see_gate, data: *mut c_void) {
        unsafe { see.unwrap()(&raw mut (*LAST.get()).gate, data) };
    }

    pub unsafe extern "C" fn gate_hens(gate: *mut gate) -> c_int {
        unsafe { yard_count((*gate).yard) }
    }

    /// A hen is shown to the callback.
    pub unsafe extern "C" fn hen_show(hen: *mut hen, see: see, data: *mut c_void) {
        unsafe { see.unwrap()(hen, data) };
    }

    pub struct farm {
        yard: *mut yard,
    }

    /// A farm with a yard.
    pub unsafe extern "C" fn farm_new() -> *mut farm {
        let yard = unsafe { yard_new() };
        acquire("Farm", farm { yard })
    }

    pub unsafe extern "C" fn farm_yard(farm: *mut farm) -> *mut yard {
        touch(farm);
        unsafe { (*farm).yard }
    }

    /// Sells the hens of the yard.
    pub unsafe extern "C" fn farm_sell(farm: *mut farm) -> c_int {
        unsafe { yard_clear((*farm).yard) }
    }

    pub unsafe extern "C" fn farm_free(farm: *mut farm) {
        unsafe { yard_free((*farm).yard) };
        release(farm);
    }
}

#[handle(raw = ffi::hen, release = ffi::hen_free, fork_safe)]
struct Hen;

/// A yard that takes hens.
#[handle(raw = ffi::yard, release = ffi::yard_free, fork_safe)]
struct Yard;

/// A yard that lends its hens.
#[handle(raw = ffi::yard, release = ffi::yard_free, fork_safe)]
struct Run;

#[handle(raw = ffi::gate, part_of = Run, owner_field = yard)]
struct Gate;

/// A yard that keeps no hens, as far as its methods say.
#[handle(raw = ffi::yard, release = ffi::yard_free, fork_safe)]
struct Lawn;

/// A yard that makes hens.
#[handle(raw = ffi::yard, release = ffi::yard_free, fork_safe)]
struct Hatchery;

/// A yard that shows its hens to callbacks.
#[handle(raw = ffi::yard, release = ffi::yard_free, fork_safe)]
struct Show;

#[handle(raw = ffi::farm, release = ffi::farm_free, fork_safe)]
struct Farm;

/// A hen whose owners are counted.
#[handle(raw = ffi::hen, release = ffi::hen_free, retain = ffi::hen_ref, independent, fork_safe)]
struct SharedHen;

#[handle(raw = ffi::hen, release = ffi::hen_free, parent = Hen, fork_safe)]
struct Chick;

type Hook = RefCell<Box<dyn FnMut()>>;

thread_local! {
    /// The action that the callbacks run.
    static HOOK: Hook = RefCell::new(Box::new(|| {}));
    static SEEN: Cell<i32> = const { Cell::new(0) };
}

fn hook(run: impl FnMut() + 'static) {
    HOOK.set(Box::new(run));
}

fn run_hook() {
    HOOK.with_borrow_mut(|run| run());
}

#[derive(Attachment)]
struct See;

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (hen, data))]
    fn hen(&self, hen: &Hen) {
        run_hook();
        SEEN.set(hen.lays());
    }

    #[callback(ffi::see, args = (hen, data))]
    fn shared(&self, hen: &SharedHen) {
        run_hook();
        SEEN.set(hen.lays());
    }

    #[callback(ffi::see, args = (chick, data))]
    fn chick(&self, chick: &Chick) {
        run_hook();
        SEEN.set(chick.lays());
    }

    #[callback(ffi::see_gate, args = (gate, data))]
    fn gate(&self, gate: &Gate) {
        run_hook();
        SEEN.set(gate.hens());
    }
}

#[methods(unsafe, rust_only)]
impl Hen {
    #[calls(ffi::hen_new, fails = null)]
    fn new() -> Result<Owned<Hen>>;

    #[calls(ffi::hen_lays)]
    fn lays(&self) -> i32;

    #[calls(ffi::hen_rest, fails = nonzero)]
    fn rest(&mut self) -> Result<()>;

    #[calls(ffi::hen_lays_in, fails = null)]
    fn chick(&self) -> Result<Owned<Chick>>;

    #[calls(ffi::show, args = (see.hen, see.data))]
    fn show(see: &See);

    #[calls(ffi::hen_show, args = (self, see.hen, see.data))]
    fn show_itself(&self, see: &See);
}

#[methods(unsafe, rust_only)]
impl Chick {
    #[calls(ffi::hen_lays)]
    fn lays(&self) -> i32;

    #[calls(ffi::show, args = (see.chick, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl SharedHen {
    #[calls(ffi::hen_lays)]
    fn lays(&self) -> i32;

    #[calls(ffi::show, args = (see.shared, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl Yard {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Yard>>;

    #[calls(ffi::yard_add)]
    fn add(&mut self, hen: Owned<Hen>);

    #[calls(ffi::yard_count)]
    fn count(&self) -> i32;

    #[calls(ffi::yard_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;

    #[calls(ffi::yard_each, args = (self, see.hen, see.data), fails = nonzero)]
    fn each(&mut self, see: &See) -> Result<()>;

    #[calls(ffi::yard_free)]
    fn end(this: Owned<Self>) -> ();
}

#[methods(unsafe, rust_only)]
impl Run {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Run>>;

    #[calls(ffi::yard_first)]
    fn first(&self) -> Option<Borrowed<Hen>>;

    #[calls(ffi::yard_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;

    #[calls(ffi::show_gate, args = (see.gate, see.data))]
    fn show_gate(see: &See);
}

#[methods(unsafe, rust_only)]
impl Gate {
    #[calls(ffi::gate_hens)]
    fn hens(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Lawn {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Lawn>>;

    #[calls(ffi::yard_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Hatchery {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Hatchery>>;

    #[calls(ffi::yard_hatch)]
    fn hatch(&self) -> Option<Owned<Hen>>;

    #[calls(ffi::yard_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Show {
    #[calls(ffi::yard_new, fails = null)]
    fn new() -> Result<Owned<Show>>;

    #[calls(ffi::yard_each, args = (self, see.hen, see.data), fails = nonzero)]
    fn each(&self, see: &See) -> Result<()>;

    #[calls(ffi::yard_clear, fails = nonzero)]
    fn clear(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Farm {
    #[calls(ffi::farm_new, fails = null)]
    fn new() -> Result<Owned<Farm>>;

    #[calls(ffi::farm_yard)]
    fn yard(&self) -> Option<Borrowed<Yard>>;

    #[calls(ffi::farm_sell, fails = nonzero)]
    fn sell(&mut self) -> Result<()>;
}

#[test]
fn no_handle_is_released_while_a_callback_has_one_of_c_s_own() {
    let _native = Native::start();
    let mut yard = Some(Yard::new().unwrap());
    hook(move || {
        yard.take().unwrap().close().unwrap();
        assert_eq!(log(), [""; 0]);
    });
    Hen::show(&See);
    assert_eq!(SEEN.get(), 1);
    assert_eq!(log(), ["release Hen", "release Yard"]);
}

#[test]
fn owner_of_a_part_that_a_callback_has_is_not_released_with_what_it_lives_in() {
    let _native = Native::start();
    let mut farm = Some(Farm::new().unwrap());
    hook(move || drop(farm.take()));
    Run::show_gate(&See);
    assert_eq!(SEEN.get(), 1);
    assert_eq!(log(), ["release Hen", "release Yard", "release Farm"]);
}

#[test]
fn releases_do_not_wait_for_a_callback_that_has_a_handle_of_ours() {
    let _native = Native::start();
    let (hen, mut yard) = (Hen::new().unwrap(), Some(Yard::new().unwrap()));
    hook(move || {
        drop(yard.take());
        assert_eq!(live("Yard"), 0);
    });
    hen.show_itself(&See);
    assert_eq!(SEEN.get(), 1);
    hook(|| {});
}

#[track_caller]
fn assert_busy(refused: Result<()>) {
    assert!(matches!(refused, Err(Error::Busy("Hen"))), "{refused:?}");
}

#[test]
fn no_handle_that_may_keep_it_is_changed_while_a_callback_has_one_of_c_s_own() {
    let _native = Native::start();
    let (mut lawn, mut run) = (Lawn::new().unwrap(), Run::new().unwrap());
    let (mut farm, mut yard) = (Farm::new().unwrap(), Yard::new().unwrap());
    let (mut hatchery, mut show) = (Hatchery::new().unwrap(), Show::new().unwrap());
    drop(hatchery.hatch());
    hook(|| {});
    show.each(&See).unwrap();
    hook(move || {
        assert_busy(hatchery.clear());
        assert_busy(show.clear());
        assert_busy(yard.clear());
        assert_busy(run.clear());
        lawn.clear().unwrap();
        assert_eq!(farm.yard().unwrap().count(), 1);
        assert_busy(farm.sell());
    });
    Hen::show(&See);
    assert_eq!(SEEN.get(), 1);
    hook(|| {});
}

#[test]
fn handle_that_may_keep_it_is_not_given_away_while_a_callback_has_one_of_c_s_own() {
    let _native = Native::start();
    let mut yard = Some(Yard::new().unwrap());
    hook(move || {
        let yard = yard.take().unwrap();
        let message = crate::panic_of(|| Yard::end(yard));
        assert!(message.contains("Hen"), "{message}");
    });
    Hen::show(&See);
    assert_eq!(SEEN.get(), 1);
    hook(|| {});
}

#[test]
fn parent_is_not_changed_while_a_callback_has_a_child_of_c_s_own() {
    let _native = Native::start();
    let (mut hen, _yard) = (Hen::new().unwrap(), Yard::new().unwrap());
    drop(hen.chick().unwrap());
    hook(move || {
        let refused = hen.rest();
        assert!(matches!(refused, Err(Error::Busy("Chick"))), "{refused:?}");
    });
    Chick::show(&See);
    hook(|| {});
}

#[test]
fn callback_does_not_get_a_handle_of_c_s_own_that_a_call_may_change() {
    let _native = Native::start();
    let mut yard = Yard::new().unwrap();
    SEEN.set(0);
    let refused = yard.each(&See);
    assert!(matches!(refused, Err(Error::Busy("Yard"))), "{refused:?}");
    assert_eq!(SEEN.get(), 0);
}

#[test]
fn counted_object_of_c_s_own_stays_as_long_as_a_callback_has_it() {
    let _native = Native::start();
    let mut lawn = Some(Lawn::new().unwrap());
    hook(move || {
        drop(lawn.take());
        assert_eq!(log(), ["release Yard"]);
    });
    SharedHen::show(&See);
    assert_eq!(SEEN.get(), 1);
    assert_eq!(log(), ["release Hen"]);
}

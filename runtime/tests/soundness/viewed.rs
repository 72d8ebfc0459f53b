//! Objects that C lends to callbacks by a type of their own (`callback_only`), and what else uses the same objects:
//! those that are borrowed with them, their children, and the handles that C keeps them in.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, live, log, note};

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

    use crate::native::{acquire, note, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut plot, *mut c_void) -> c_int>;
    pub type then = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct soil {
        _deep: u8,
    }
    pub struct plot {
        owners: c_int,
        soil: *mut soil,
        /// A plot that this one also reads.
        beside: *mut plot,
    }
    pub struct row {
        plot: *mut plot,
    }
    pub struct farm {
        plots: Vec<*mut plot>,
    }

    thread_local! {
        /// The plot that was made first.
        static FIRST: Cell<*mut plot> = const { Cell::new(null_mut()) };
    }

    unsafe fn dig(plot: *mut plot) {
        release(unsafe { (*plot).soil });
    }

    unsafe fn fill(plot: *mut plot) {
        unsafe { (*plot).soil = acquire("Soil", soil { _deep: 1 }) };
    }

    pub unsafe extern "C" fn plot_new() -> *mut plot {
        let plot = plot {
            owners: 1,
            soil: acquire("Soil", soil { _deep: 1 }),
            beside: null_mut(),
        };
        let plot = acquire("Plot", plot);
        FIRST.set(plot);
        plot
    }

    pub unsafe extern "C" fn plot_beside(plot: *mut plot) -> *mut plot {
        let other = unsafe { plot_new() };
        unsafe { (*other).beside = plot };
        FIRST.set(plot);
        other
    }

    pub unsafe extern "C" fn plot_ref(plot: *mut plot) {
        touch(plot);
        unsafe { (*plot).owners += 1 };
    }

    pub unsafe extern "C" fn plot_free(plot: *mut plot) {
        touch(plot);
        unsafe { (*plot).owners -= 1 };
        if unsafe { (*plot).owners } == 0 {
            unsafe { dig(plot) };
            release(plot);
        }
    }

    pub unsafe extern "C" fn plot_read(plot: *mut plot) -> c_int {
        touch(plot);
        touch(unsafe { (*plot).soil });
        let beside = unsafe { (*plot).beside };
        if !beside.is_null() {
            unsafe { plot_read(beside) };
        }
        0
    }

    pub unsafe extern "C" fn plot_rest(plot: *mut plot) -> c_int {
        unsafe { plot_read(plot) }
    }

    /// Digs, calls back, and fills.
    pub unsafe extern "C" fn plot_till(plot: *mut plot, then: then, data: *mut c_void) {
        touch(plot);
        unsafe { dig(plot) };
        unsafe { then.unwrap()(data) };
        unsafe { fill(plot) };
        note("tilled");
    }

    /// Shows the plot to the callback.
    pub unsafe extern "C" fn plot_show(plot: *mut plot, see: see, data: *mut c_void) -> c_int {
        touch(plot);
        unsafe { see.unwrap()(plot, data) }
    }

    /// Shows the plot that this one reads.
    pub unsafe extern "C" fn plot_show_beside(
        plot: *mut plot,
        see: see,
        data: *mut c_void,
    ) -> c_int {
        unsafe { plot_show((*plot).beside, see, data) }
    }

    /// Shows the plot that was made first.
    pub unsafe extern "C" fn show_first(see: see, data: *mut c_void) -> c_int {
        unsafe { plot_show(FIRST.get(), see, data) }
    }

    pub unsafe extern "C" fn row_new(plot: *mut plot) -> *mut row {
        touch(plot);
        acquire("Row", row { plot })
    }

    pub unsafe extern "C" fn row_free(row: *mut row) {
        unsafe { plot_read((*row).plot) };
        release(row);
    }

    pub unsafe extern "C" fn ditch_new(plot: *mut plot) -> *mut row {
        unsafe { dig(plot) };
        acquire("Ditch", row { plot })
    }

    pub unsafe extern "C" fn ditch_free(ditch: *mut row) {
        unsafe { fill((*ditch).plot) };
        release(ditch);
    }

    /// Fills the ditch, shows the plot, and digs.
    pub unsafe extern "C" fn ditch_show(ditch: *mut row, see: see, data: *mut c_void) -> c_int {
        let plot = unsafe { (*ditch).plot };
        unsafe { fill(plot) };
        let seen = unsafe { plot_show(plot, see, data) };
        unsafe { dig(plot) };
        seen
    }

    pub unsafe extern "C" fn farm_new() -> *mut farm {
        acquire("Farm", farm { plots: Vec::new() })
    }

    pub unsafe extern "C" fn farm_add(farm: *mut farm, plot: *mut plot) {
        touch(farm);
        unsafe { (*farm).plots.push(plot) };
    }

    pub unsafe extern "C" fn farm_sell(farm: *mut farm) -> c_int {
        touch(farm);
        for plot in unsafe { std::mem::take(&mut (*farm).plots) } {
            unsafe { plot_free(plot) };
        }
        0
    }

    pub unsafe extern "C" fn farm_each(farm: *mut farm, see: see, data: *mut c_void) -> c_int {
        let plots = unsafe { (*farm).plots.clone() };
        let mut shown = plots
            .iter()
            .map(|plot| unsafe { plot_show(*plot, see, data) });
        shown.find(|shown| *shown != 0).unwrap_or(0)
    }

    pub unsafe extern "C" fn farm_free(farm: *mut farm) {
        unsafe { farm_sell(farm) };
        release(farm);
    }
}

#[handle(raw = ffi::plot, release = ffi::plot_free, fork_safe)]
struct Plot;

#[handle(raw = ffi::plot, release = ffi::plot_free, retain = ffi::plot_ref, borrowed_with = Self, fork_safe)]
struct SharedPlot;

#[handle(raw = ffi::row, release = ffi::row_free, parent = Plot, fork_safe)]
struct Row;

#[handle(raw = ffi::row, release = ffi::row_free, parent = SharedPlot, fork_safe)]
struct SharedRow;

#[handle(raw = ffi::row, release = ffi::ditch_free, parent = &mut Plot, fork_safe)]
struct Ditch;

#[handle(raw = ffi::row, release = ffi::ditch_free, parent = &mut SharedPlot, fork_safe)]
struct SharedDitch;

#[handle(raw = ffi::farm, release = ffi::farm_free, fork_safe)]
struct Farm;

/// A plot, as C lends it to callbacks.
#[handle(raw = ffi::plot, callback_only)]
struct PlotView;

struct Look(fn(&PlotView));

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::see, args = (plot, data), on_error = -1)]
    fn see(&self, plot: &PlotView) -> i32 {
        (self.0)(plot);
        plot.read();
        note("looked");
        0
    }
}

struct Change(fn(&mut PlotView));

impl Attachment for Change {}

#[callbacks(unsafe)]
impl Change {
    #[callback(ffi::see, args = (plot, data), on_error = -1)]
    fn see(&self, plot: &mut PlotView) -> i32 {
        (self.0)(plot);
        plot.read();
        0
    }
}

struct Then(fn());

impl Attachment for Then {}

#[callbacks(unsafe)]
impl Then {
    #[callback(ffi::then, args = (data))]
    fn then(&self) {
        (self.0)();
    }
}

#[methods(unsafe, rust_only)]
impl PlotView {
    #[calls(ffi::plot_read)]
    fn read(&self) -> i32;

    #[calls(ffi::plot_till, args = (self, then.then, then.data))]
    fn till(&mut self, then: &Then);
}

#[methods(unsafe, rust_only)]
impl Plot {
    #[calls(ffi::plot_new, fails = null)]
    fn new() -> Result<Owned<Plot>>;

    #[calls(ffi::row_new, fails = null)]
    fn row(&self) -> Result<Owned<Row>>;

    #[calls(ffi::ditch_new, fails = null)]
    fn ditch(&mut self) -> Result<Owned<Ditch>>;

    #[calls(ffi::show_first, args = (look.see, look.data), fails = nonzero)]
    fn first(look: &Look) -> Result<()>;

    #[calls(ffi::show_first, args = (change.see, change.data), fails = nonzero)]
    fn change_first(change: &Change) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl SharedPlot {
    #[calls(ffi::plot_new, fails = null)]
    fn new() -> Result<Owned<SharedPlot>>;

    #[calls(ffi::plot_beside, fails = null)]
    fn beside(&self) -> Result<Owned<SharedPlot>>;

    #[calls(ffi::plot_read, fails = nonzero)]
    fn read(&self) -> Result<()>;

    #[calls(ffi::plot_rest, fails = nonzero)]
    fn rest(&mut self) -> Result<()>;

    #[calls(ffi::row_new, fails = null)]
    fn row(&self) -> Result<Owned<SharedRow>>;

    #[calls(ffi::ditch_new, fails = null)]
    fn ditch(&mut self) -> Result<Owned<SharedDitch>>;

    #[calls(ffi::plot_show_beside, args = (self, change.see, change.data), fails = nonzero)]
    fn change_beside(&mut self, change: &Change) -> Result<()>;

    #[calls(ffi::plot_show_beside, args = (self, change.see, change.data), fails = nonzero)]
    fn change_beside_shared(&self, change: &Change) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Ditch {
    #[calls(ffi::ditch_show, args = (self, look.see, look.data), fails = nonzero)]
    fn look(&self, look: &Look) -> Result<()>;

    #[calls(ffi::ditch_show, args = (self, change.see, change.data), fails = nonzero)]
    fn change(&mut self, change: &Change) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Farm {
    #[calls(ffi::farm_new, fails = null)]
    fn new() -> Result<Owned<Farm>>;

    #[calls(ffi::farm_add)]
    fn add(&mut self, plot: Owned<Plot>);

    #[calls(ffi::farm_add)]
    fn add_shared(&mut self, plot: Owned<SharedPlot>);

    #[calls(ffi::farm_sell, fails = nonzero)]
    fn sell(&mut self) -> Result<()>;

    #[calls(ffi::farm_free)]
    fn end(this: Owned<Self>);

    #[calls(ffi::farm_each, args = (self, look.see, look.data), fails = nonzero)]
    fn each(&mut self, look: &Look) -> Result<()>;
}

thread_local! {
    static SHARED: RefCell<Option<Owned<'static, SharedPlot>>> = const { RefCell::new(None) };
    static FARM: RefCell<Option<Owned<'static, Farm>>> = const { RefCell::new(None) };
    static SHARED_ROW: RefCell<Option<Owned<'static, SharedRow>>> = const { RefCell::new(None) };
    static ROW: RefCell<Option<Owned<'static, Row>>> = const { RefCell::new(None) };
}

#[track_caller]
fn is_busy(refused: Result<()>) {
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
}

#[track_caller]
fn is_held(refused: Result<()>) {
    assert!(matches!(refused, Err(Error::Held(..))), "{refused:?}");
}

fn with_shared<R>(f: impl FnOnce(&mut SharedPlot) -> R) -> R {
    SHARED.with_borrow_mut(|shared| f(shared.as_mut().unwrap()))
}

#[test]
fn object_is_not_used_while_a_callback_changes_one_of_its_group_by_another_type() {
    let _native = Native::start();
    let plot = SharedPlot::new().unwrap();
    SHARED.set(Some(plot.beside().unwrap()));
    let told = Plot::change_first(&Change(|view| {
        view.till(&Then(|| is_busy(with_shared(|shared| shared.read()))));
    }));
    told.unwrap();
    with_shared(|shared| shared.read()).unwrap();
    SHARED.set(None);
}

#[test]
fn object_is_not_changed_while_a_callback_has_one_of_its_group_by_another_type() {
    let _native = Native::start();
    let plot = SharedPlot::new().unwrap();
    SHARED.set(Some(plot.beside().unwrap()));
    let told = Plot::first(&Look(|_| {
        is_busy(with_shared(SharedPlot::rest));
        with_shared(|shared| shared.read()).unwrap();
    }));
    told.unwrap();
    with_shared(SharedPlot::rest).unwrap();
    SHARED.set(None);
}

#[test]
fn callback_gets_one_of_a_group_by_another_type_from_a_call_that_has_the_group_alone() {
    let _native = Native::start();
    let plot = SharedPlot::new().unwrap();
    let mut other = plot.beside().unwrap();
    other
        .change_beside(&Change(|view| view.till(&Then(|| {}))))
        .unwrap();
    is_busy(other.change_beside_shared(&Change(|_| unreachable!())));
    drop((other, plot));
}

#[test]
fn child_of_a_counted_object_is_released_when_no_callback_changes_that_by_another_type() {
    let _native = Native::start();
    let plot: &'static Owned<'static, SharedPlot> = Box::leak(Box::new(SharedPlot::new().unwrap()));
    SHARED_ROW.set(Some(plot.row().unwrap()));
    let told = Plot::change_first(&Change(|view| {
        view.till(&Then(|| {
            drop(SHARED_ROW.take());
            assert_eq!(live("Row"), 1);
        }));
    }));
    told.unwrap();
    assert_eq!(log(), ["release Soil", "tilled", "release Row"]);
    // SAFETY: the reference came from the box above, and nothing else has it.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(plot).cast_mut()) });
}

#[test]
fn keeper_of_a_counted_object_is_released_when_no_callback_has_that_by_another_type() {
    let _native = Native::start();
    let mut farm = Farm::new().unwrap();
    farm.add_shared(SharedPlot::new().unwrap());
    FARM.set(Some(farm));
    Plot::first(&Look(|_| drop(FARM.take()))).unwrap();
    let freed = ["looked", "release Soil", "release Plot", "release Farm"];
    assert_eq!(log(), freed);
}

#[test]
fn held_object_is_not_lent_by_another_type() {
    let _native = Native::start();
    let mut plot = Plot::new().unwrap();
    let ditch = plot.ditch().unwrap();
    is_held(Plot::first(&Look(|_| unreachable!())));
    is_held(Plot::change_first(&Change(|_| unreachable!())));
    drop(ditch);
    Plot::first(&Look(|_| {})).unwrap();
}

#[test]
fn object_that_is_borrowed_with_a_held_one_is_not_lent_by_another_type() {
    let _native = Native::start();
    let plot = SharedPlot::new().unwrap();
    let mut other = plot.beside().unwrap();
    let ditch = other.ditch().unwrap();
    is_held(Plot::first(&Look(|_| unreachable!())));
    drop(ditch);
    Plot::first(&Look(|_| {})).unwrap();
    drop((other, plot));
}

#[test]
fn calls_of_the_holder_lend_the_held_object_by_another_type() {
    let _native = Native::start();
    let mut plot = Plot::new().unwrap();
    let mut ditch = plot.ditch().unwrap();
    ditch.look(&Look(|_| {})).unwrap();
    ditch
        .change(&Change(|view| view.till(&Then(|| {}))))
        .unwrap();
}

#[test]
fn keeper_is_neither_changed_nor_released_while_a_callback_has_what_it_keeps_by_another_type() {
    let _native = Native::start();
    let farm = || {
        let mut farm = Farm::new().unwrap();
        farm.add(Plot::new().unwrap());
        FARM.set(Some(farm));
    };
    farm();
    let told = Plot::first(&Look(|_| {
        FARM.with_borrow_mut(|farm| is_busy(farm.as_mut().unwrap().sell()));
        drop(FARM.take());
    }));
    told.unwrap();
    let freed = ["release Soil", "release Plot", "release Farm"];
    assert_eq!(log(), [&["looked"], &freed[..]].concat());
    farm();
    let told = Plot::first(&Look(|_| {
        let message = crate::panic_of(|| Farm::end(FARM.take().unwrap()));
        assert!(message.contains("in use"), "{message}");
    }));
    told.unwrap();
    assert_eq!(log(), [&["looked"], &freed[..]].concat());
}

#[test]
fn callback_gets_what_c_keeps_by_another_type_from_a_call_that_has_the_keeper_alone() {
    let _native = Native::start();
    let mut farm = Farm::new().unwrap();
    farm.add(Plot::new().unwrap());
    farm.each(&Look(|_| {})).unwrap();
    assert_eq!(log(), ["looked"]);
}

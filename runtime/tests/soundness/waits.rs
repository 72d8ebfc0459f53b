//! Handles that C keeps in several others, or in one that it lends to a callback: when their parents are released.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut sack, *mut c_void)>;

    pub struct well {
        kept: *mut sack,
    }
    pub struct drop {
        well: *mut well,
    }
    pub struct sack {
        drop: *mut drop,
        inside: *mut sack,
    }

    pub unsafe extern "C" fn well_new() -> *mut well {
        acquire("Well", well { kept: null_mut() })
    }

    pub unsafe extern "C" fn well_free(well: *mut well) {
        free(unsafe { (*well).kept });
        release(well);
    }

    pub unsafe extern "C" fn well_drop(well: *mut well) -> *mut drop {
        acquire("Drop", drop { well })
    }

    pub unsafe extern "C" fn well_keep(well: *mut well, sack: *mut sack) {
        unsafe { (*well).kept = sack };
    }

    pub unsafe extern "C" fn drop_free(drop: *mut drop) {
        touch(unsafe { (*drop).well });
        release(drop);
    }

    pub unsafe extern "C" fn sack_new() -> *mut sack {
        let (drop, inside) = (null_mut(), null_mut());
        acquire("Sack", sack { drop, inside })
    }

    pub unsafe extern "C" fn sack_add(sack: *mut sack, drop: *mut drop) {
        unsafe { (*sack).drop = drop };
    }

    /// Puts the sack into the first of two new ones.
    pub unsafe extern "C" fn sack_double(
        sack: *mut sack,
        one: *mut *mut sack,
        two: *mut *mut sack,
    ) -> c_int {
        unsafe {
            *one = sack_new();
            *two = sack_new();
            (**one).inside = sack;
        }
        0
    }

    fn free(sack: *mut sack) {
        if !sack.is_null() {
            unsafe { sack_free(sack) };
        }
    }

    pub unsafe extern "C" fn sack_free(sack: *mut sack) {
        free(unsafe { (*sack).inside });
        if !unsafe { (*sack).drop }.is_null() {
            unsafe { drop_free((*sack).drop) };
        }
        release(sack);
    }

    /// Shows a sack of its own.
    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        let sack = unsafe { sack_new() };
        unsafe { see.unwrap()(sack, data) };
        unsafe { sack_free(sack) };
    }
}

#[handle(raw = ffi::well, release = ffi::well_free, fork_safe)]
struct Well;

#[handle(raw = ffi::drop, release = ffi::drop_free, parent = Well, fork_safe)]
struct Water;

#[handle(raw = ffi::sack, release = ffi::sack_free, fork_safe)]
struct Sack;

/// The handle as C shows it.
#[handle(raw = ffi::sack, release = ffi::sack_free, fork_safe)]
struct Shown;

thread_local! {
    static WELL: RefCell<Option<Owned<'static, Well>>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct See;

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (sack, data))]
    fn see(&self, sack: &Shown) {
        WELL.with_borrow(|well| sack.add(well.as_ref().unwrap().water().unwrap()));
    }
}

#[methods(unsafe, rust_only)]
impl Well {
    #[calls(ffi::well_new, fails = null)]
    fn new() -> Result<Owned<Well>>;

    #[calls(ffi::well_drop, fails = null)]
    fn water(&self) -> Result<Owned<Water>>;

    #[calls(ffi::well_keep)]
    fn keep(&self, sack: Owned<Sack>);
}

#[methods(unsafe, rust_only)]
impl Sack {
    #[calls(ffi::sack_new, fails = null)]
    fn new() -> Result<Owned<Sack>>;

    #[calls(ffi::sack_add)]
    fn add(&self, water: Owned<Water>);

    #[calls(
        ffi::sack_double,
        args = (sack, out, out),
        consumes = always,
        fails = nonzero,
        on_failure = null
    )]
    fn double(sack: Owned<Sack>) -> Result<(Owned<Sack>, Owned<Sack>)>;

    #[calls(ffi::show, args = (see.see, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl Shown {
    #[calls(ffi::sack_add)]
    fn add(&self, water: Owned<Water>);
}

/// The well keeps one of the two sacks that C may keep its water in.
#[test]
fn parent_waits_for_the_other_handle_that_its_child_ends_with() {
    let _native = Native::start();
    let (well, sack) = (Well::new().unwrap(), Sack::new().unwrap());
    sack.add(well.water().unwrap());
    let (one, other) = Sack::double(sack).unwrap();
    well.keep(one);
    well.close().unwrap();
    assert_eq!(log(), [""; 0]);
    drop(other);
    let rest = [
        "release Drop",
        "release Sack",
        "release Sack",
        "release Well",
    ];
    assert_eq!(log()[1..], rest);
}

/// Set in the process in which the handle is leaked.
const LEAKING: &str = "LEAKPROOF_TEST_LENT_KEEPER";

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn parent_of_what_c_keeps_in_a_handle_of_a_callback_is_reported() {
    if std::env::var_os(LEAKING).is_none() {
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "waits::parent_of_what_c_keeps_in_a_handle_of_a_callback_is_reported";
        let test = test.args(["--exact", name, "--nocapture"]).env(LEAKING, "");
        let output = test.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        let report = "a Water was given to C, and its release cannot be observed";
        assert_eq!(text.matches(report).count(), 1, "{text}");
        return;
    }
    let mut native = Native::start();
    native.loses("Well");
    native.counts("Well");
    WELL.set(Some(Well::new().unwrap()));
    Sack::show(&See);
    WELL.take().unwrap().close().unwrap();
    assert_eq!(log(), ["release Drop", "release Sack"]);
}

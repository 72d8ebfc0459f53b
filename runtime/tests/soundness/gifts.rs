//! Handles that a callback gives to C by its result, and that something else uses.

use std::cell::RefCell;
use std::ffi::c_int;

use leakproof::prelude::*;

use crate::native::{Native, log, note};

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

    use crate::native::{acquire, fault, note, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut jar, *mut c_void)>;
    pub type give = Option<unsafe extern "C" fn(*mut c_void) -> *mut jar>;
    pub type swap = Option<unsafe extern "C" fn(*mut jar, *mut c_void) -> *mut jar>;

    pub struct jar {
        owners: usize,
        is_whole: bool,
    }

    thread_local! {
        static LAST: Cell<*mut jar> = const { Cell::new(null_mut()) };
    }

    pub unsafe extern "C" fn jar_new() -> *mut jar {
        let jar = jar {
            owners: 1,
            is_whole: true,
        };
        let jar = acquire("Jar", jar);
        LAST.set(jar);
        jar
    }

    pub unsafe extern "C" fn jar_ref(jar: *mut jar) -> *mut jar {
        touch(jar);
        unsafe { (*jar).owners += 1 };
        jar
    }

    pub unsafe extern "C" fn jar_unref(jar: *mut jar) {
        touch(jar);
        unsafe { (*jar).owners -= 1 };
        if unsafe { (*jar).owners } == 0 {
            release(jar);
        }
    }

    pub unsafe extern "C" fn jar_peek(jar: *mut jar) -> c_int {
        touch(jar);
        if !unsafe { (*jar).is_whole } {
            fault("a jar is used while it is changed");
        }
        7
    }

    /// Shows the last jar.
    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        unsafe { see.unwrap()(LAST.get(), data) };
    }

    /// Asks for a jar, looks at it and releases it.
    pub unsafe extern "C" fn pull(give: give, data: *mut c_void) -> c_int {
        take(unsafe { give.unwrap()(data) })
    }

    /// Shows the last jar, and takes another one for it.
    pub unsafe extern "C" fn exchange(swap: swap, data: *mut c_void) -> c_int {
        take(unsafe { swap.unwrap()(LAST.get(), data) })
    }

    fn take(jar: *mut jar) -> c_int {
        if jar.is_null() {
            note("NULL");
            return 0;
        }
        unsafe { jar_peek(jar) };
        unsafe { jar_unref(jar) };
        1
    }

    pub unsafe extern "C" fn jar_fill(jar: *mut jar, see: see, data: *mut c_void) {
        unsafe { (*jar).is_whole = false };
        unsafe { see.unwrap()(null_mut(), data) };
        unsafe { (*jar).is_whole = true };
    }
}

#[handle(raw = ffi::jar, release = ffi::jar_unref, fork_safe)]
struct Jar;

#[handle(raw = ffi::jar, release = ffi::jar_unref, retain = ffi::jar_ref, independent, fork_safe)]
struct SharedJar;

type Hook<T> = RefCell<Option<T>>;

thread_local! {
    static JAR: Hook<Owned<'static, Jar>> = const { RefCell::new(None) };
    static SHARED: Hook<Owned<'static, SharedJar>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Calls;

#[callbacks(unsafe)]
impl Calls {
    #[callback(ffi::see, args = (jar, data))]
    fn see(&self, jar: &Jar) {
        let refused = Jar::pull(&Calls);
        assert!(matches!(refused, Err(Error::Busy("Jar"))), "{refused:?}");
        note(format!("peek {}", jar.peek()));
    }

    #[callback(ffi::give, args = (data))]
    fn give(&self) -> Option<Owned<'static, Jar>> {
        JAR.take()
    }

    #[callback(ffi::see, args = (_, data))]
    fn filled(&self) {
        let refused = SharedJar::pull(&Calls);
        assert!(
            matches!(refused, Err(Error::Busy("SharedJar"))),
            "{refused:?}"
        );
    }

    #[callback(ffi::give, args = (data))]
    fn give_shared(&self) -> Option<Owned<'static, SharedJar>> {
        SHARED.take()
    }

    #[callback(ffi::swap, args = (jar, data))]
    fn swap(&self, jar: &SharedJar) -> Option<Owned<'static, SharedJar>> {
        Some(Borrowed::from(jar).retain())
    }
}

#[methods(unsafe, rust_only)]
impl Jar {
    #[calls(ffi::jar_new, fails = null)]
    fn new() -> Result<Owned<Jar>>;

    #[calls(ffi::jar_peek)]
    fn peek(&self) -> c_int;

    #[calls(ffi::show, args = (calls.see, calls.data))]
    fn show(calls: &Calls);

    #[calls(ffi::pull, args = (calls.give, calls.data), fails = when(|taken| taken == 0))]
    fn pull(calls: &Calls) -> Result<c_int>;
}

#[methods(unsafe, rust_only)]
impl SharedJar {
    #[calls(ffi::jar_new, fails = null)]
    fn new() -> Result<Owned<SharedJar>>;

    #[calls(ffi::jar_fill, args = (self, calls.filled, calls.data))]
    fn fill(&mut self, calls: &Calls);

    #[calls(ffi::pull, args = (calls.give_shared, calls.data), fails = when(|taken| taken == 0))]
    fn pull(calls: &Calls) -> Result<c_int>;

    #[calls(ffi::exchange, args = (calls.swap, calls.data), fails = when(|taken| taken == 0))]
    fn exchange(calls: &Calls) -> Result<c_int>;
}

#[test]
fn handle_that_an_outer_callback_has_is_not_given_to_c() {
    let _native = Native::start();
    JAR.set(Some(Jar::new().unwrap()));
    Jar::show(&Calls);
    // The callback that failed had it: it is released when the outer callback has ended.
    assert_eq!(log(), ["NULL", "peek 7", "release Jar"]);
}

#[test]
fn object_that_a_running_call_changes_is_not_given_to_c() {
    let _native = Native::start();
    let mut jar = SharedJar::new().unwrap();
    SHARED.set(Some(jar.clone()));
    jar.fill(&Calls);
    drop(jar);
    assert_eq!(log(), ["NULL", "release Jar"]);
}

#[test]
fn handle_that_nothing_uses_is_given_to_c() {
    let _native = Native::start();
    JAR.set(Some(Jar::new().unwrap()));
    assert_eq!(Jar::pull(&Calls).unwrap(), 1);
    assert_eq!(log(), ["release Jar"]);
}

#[test]
fn object_that_the_callback_itself_had_is_given_to_c() {
    let _native = Native::start();
    let jar = SharedJar::new().unwrap();
    assert_eq!(SharedJar::exchange(&Calls).unwrap(), 1);
    drop(jar);
    assert_eq!(log(), ["release Jar"]);
}

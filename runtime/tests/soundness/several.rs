//! Calls with several handles to own: those that C gives, and those that C gets.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::native::{Native, live, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_char, c_int};

    use crate::native::{acquire, release, touch};

    pub struct nut {
        inner: Vec<*mut nut>,
    }

    pub unsafe extern "C" fn nut_new() -> *mut nut {
        acquire("Nut", nut { inner: Vec::new() })
    }

    /// Frees the nut with all in it.
    pub unsafe extern "C" fn nut_free(nut: *mut nut) {
        for inner in std::mem::take(unsafe { &mut (*nut).inner }) {
            unsafe { nut_free(inner) };
        }
        release(nut);
    }

    pub unsafe extern "C" fn nut_put(nut: *mut nut, inner: *mut nut, _: c_int) -> c_int {
        touch(nut);
        touch(inner);
        unsafe { &mut (*nut).inner }.push(inner);
        0
    }

    /// Makes the first nut, good text, and the last nut, each by a bit of `wanted`. The next bit is a failure.
    pub unsafe extern "C" fn nut_pair(
        first: *mut *mut nut,
        text: *mut *const c_char,
        last: *mut *mut nut,
        wanted: c_int,
    ) -> c_int {
        unsafe {
            if wanted & 1 != 0 {
                *first = nut_new();
            }
            *text = match wanted & 2 {
                0 => c"\xff".as_ptr(),
                _ => c"good".as_ptr(),
            };
            if wanted & 4 != 0 {
                *last = nut_new();
            }
        }
        wanted & 8
    }
}

#[handle(raw = ffi::nut, release = ffi::nut_free, fork_safe)]
struct Nut;

fn fill(nut: &Nut) -> c_int {
    nut.put(Nut::new().unwrap());
    0
}

#[methods(unsafe, rust_only)]
impl Nut {
    #[calls(ffi::nut_new, fails = null)]
    fn new() -> Result<Owned<Nut>>;

    #[calls(ffi::nut_put, args = (self, inner, 0))]
    fn put(&self, inner: Owned<Nut>) -> c_int;

    #[calls(ffi::nut_put, args = (self, inner, fill(inner)), fails = nonzero, consumes = on_success)]
    fn put_filled(&mut self, inner: Owned<Nut>) -> Result<()>;

    #[calls(ffi::nut_pair, args = (out, out, out, wanted), fails = nonzero, on_failure = owned)]
    fn pair(wanted: c_int) -> Result<(Owned<Nut>, Option<String>, Owned<Nut>)>;
}

#[test]
fn each_handle_of_a_result_is_released_whatever_else_is_missing() {
    let _native = Native::start();
    for wanted in 0..16 {
        let made = Nut::pair(wanted);
        assert_eq!(made.is_ok(), wanted == 7, "{wanted}: {made:?}");
        drop(made);
        let freed = (wanted & 1) + (wanted >> 2 & 1);
        assert_eq!((live("Nut"), log().len()), (0, freed as usize), "{wanted}");
    }
}

#[test]
fn handle_that_gets_another_one_while_the_call_is_prepared_is_released_with_it() {
    let _native = Native::start();
    let mut nut = Nut::new().unwrap();
    nut.put_filled(Nut::new().unwrap()).unwrap();
    assert_eq!(log(), [""; 0]);
    drop(nut);
    assert_eq!(log(), ["release Nut"; 3]);
}

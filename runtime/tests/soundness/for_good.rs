//! Handles that C keeps until nobody knows when: nothing changes their parents.

use leakproof::prelude::*;

use crate::native::Native;
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::null_mut;

    use crate::native::{acquire, note, release, touch};

    pub struct vat {
        pub level: c_int,
    }
    pub struct cask {
        vat: *mut vat,
    }
    pub struct cart {
        owners: c_int,
        cask: *mut cask,
    }

    pub unsafe extern "C" fn vat_new() -> *mut vat {
        acquire("Vat", vat { level: 1 })
    }

    pub unsafe extern "C" fn vat_free(vat: *mut vat) {
        release(vat);
    }

    pub unsafe extern "C" fn vat_stir(_: *mut vat) -> c_int {
        note("stir");
        0
    }

    pub unsafe extern "C" fn vat_level(vat: *const vat) -> c_int {
        unsafe { (*vat).level }
    }

    pub unsafe extern "C" fn vat_cask(vat: *mut vat) -> *mut cask {
        acquire("Cask", cask { vat })
    }

    pub unsafe extern "C" fn cask_free(cask: *mut cask) {
        touch(unsafe { (*cask).vat });
        release(cask);
    }

    pub unsafe extern "C" fn barrow_new() -> *mut cart {
        acquire(
            "Barrow",
            cart {
                owners: 1,
                cask: null_mut(),
            },
        )
    }

    pub unsafe extern "C" fn cart_new() -> *mut cart {
        acquire(
            "Cart",
            cart {
                owners: 1,
                cask: null_mut(),
            },
        )
    }

    pub unsafe extern "C" fn barrow_level(barrow: *const cart) -> c_int {
        unsafe { (*(*(*barrow).cask).vat).level }
    }

    pub unsafe extern "C" fn cart_ref(cart: *mut cart) {
        unsafe { (*cart).owners += 1 };
    }

    pub unsafe extern "C" fn cart_load(cart: *mut cart, cask: *mut cask) {
        unsafe { (*cart).cask = cask };
    }

    pub unsafe extern "C" fn cart_free(cart: *mut cart) {
        unsafe { (*cart).owners -= 1 };
        if unsafe { (*cart).owners } == 0 {
            if !unsafe { (*cart).cask }.is_null() {
                unsafe { cask_free((*cart).cask) };
            }
            release(cart);
        }
    }

    /// Takes the barrow's cask, and drops the barrow.
    pub unsafe extern "C" fn cart_take(cart: *mut cart, barrow: *mut cart) {
        unsafe {
            (*cart).cask = (*barrow).cask;
            (*barrow).cask = null_mut();
            cart_free(barrow);
        }
    }
}

#[handle(raw = ffi::vat, release = ffi::vat_free, fork_safe)]
struct Vat;

#[handle(raw = ffi::cask, release = ffi::cask_free, parent = Vat, fork_safe)]
struct Cask;

#[handle(raw = ffi::cart, release = ffi::cart_free, fork_safe)]
struct Barrow;

#[handle(raw = ffi::cart, release = ffi::cart_free, retain = ffi::cart_ref, independent, fork_safe)]
struct Cart;

#[methods(unsafe, rust_only)]
impl Vat {
    #[calls(ffi::vat_new, fails = null)]
    fn new() -> Result<Owned<Vat>>;

    #[calls(ffi::vat_cask, fails = null)]
    fn cask(&self) -> Result<Owned<Cask>>;

    #[calls(ffi::vat_level)]
    fn level(&self) -> i32;

    #[calls(ffi::vat_stir, fails = nonzero)]
    fn stir(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Barrow {
    #[calls(ffi::barrow_new, fails = null)]
    fn new() -> Result<Owned<Barrow>>;

    #[calls(ffi::cart_load)]
    fn load(&self, cask: Owned<Cask>);

    #[calls(ffi::cart_load, fails = when(|_ret| panic!("a test")), consumes = on_success)]
    fn try_load(&self, cask: Owned<Cask>) -> Result<()>;

    #[calls(ffi::barrow_level)]
    fn level(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Cart {
    #[calls(ffi::cart_new, fails = null)]
    fn new() -> Result<Owned<Cart>>;

    #[calls(ffi::cart_take)]
    fn take(&self, barrow: Owned<Barrow>);
}

const REFUSED: &str = "a Vat cannot be changed any more, because C keeps what lives in it, and nobody knows until when: give \
                       that to a handle that has one owner";

#[test]
fn handle_is_not_changed_that_c_may_use_by_a_counted_handle() {
    let mut native = Native::start();
    native.loses("Vat");
    native.counts("Vat");
    let mut vat = Vat::new().unwrap();
    let (barrow, cart) = (Barrow::new().unwrap(), Cart::new().unwrap());
    barrow.load(vat.cask().unwrap());
    vat.stir().unwrap();
    cart.take(barrow);
    let refused = vat.stir();
    assert_eq!(refused.unwrap_err().to_string(), REFUSED);
    assert_eq!(vat.level(), 1);
    drop(cart);
    assert!(vat.stir().is_err());
}

#[test]
fn parent_of_what_c_may_or_may_not_have_is_neither_changed_nor_released() {
    let mut native = Native::start();
    native.loses("Vat");
    native.counts("Vat");
    native.counts("Cask");
    let (mut vat, barrow) = (Vat::new().unwrap(), Barrow::new().unwrap());
    assert_eq!(panic_of(|| barrow.try_load(vat.cask().unwrap())), "a test");
    assert_eq!(vat.stir().unwrap_err().to_string(), REFUSED);
    vat.close().unwrap();
    assert_eq!(barrow.level(), 1);
}

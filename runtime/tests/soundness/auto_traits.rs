//! Copies, and values that only keep something, go to other threads. No handle, no guard and nothing that leads to one
//! does, whatever a handle's annotation says of threads.

use std::marker::PhantomData;

use leakproof::prelude::*;
use leakproof::{Editing, Handle, IdleHandles, KeptPart};

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, release};

    pub struct barn {
        pub first: *mut stall,
    }
    pub struct stall {
        pub barn: *mut barn,
        pub up: *mut stall,
        pub next: *mut stall,
        pub below: *mut stall,
        pub user: *mut c_void,
    }
    pub struct cart {
        _wheels: c_int,
    }
    #[derive(Clone, Copy)]
    #[allow(dead_code, reason = "a record of it keeps the other field")]
    pub struct load {
        pub weight: c_int,
        pub next: *const load,
    }

    pub unsafe extern "C" fn barn_new() -> *mut barn {
        let first = std::ptr::null_mut();
        acquire("Barn", barn { first })
    }

    pub unsafe extern "C" fn barn_free(barn: *mut barn) {
        release(barn);
    }

    pub unsafe extern "C" fn stall_free(_: *mut stall) {}

    pub unsafe extern "C" fn cart_free(cart: *mut cart) {
        release(cart);
    }

    pub unsafe extern "C" fn cart_ref(_: *mut cart) {}
}

#[handle(raw = ffi::barn, release = ffi::barn_free, tree, attachments, fork_safe)]
struct Barn;

#[handle(raw = ffi::stall, part_of = Barn, owner_field = barn, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::stall_free,
    root = first,
))]
struct Stall;

#[handle(raw = ffi::cart, release = ffi::cart_free, thread_bound, fork_safe)]
struct BoundCart;

#[handle(raw = ffi::cart, release = ffi::cart_free, retain = ffi::cart_ref, independent, fork_safe)]
struct CountedCart;

#[handle(raw = ffi::cart, callback_only)]
struct LentCart;

#[handle(integer = i32, invalid = -1, release = close_number, fork_safe)]
struct NumberedCart;

#[handle(raw = ffi::cart, release = ffi::cart_free, parent = Barn, fork_safe)]
struct ParkedCart;

#[handle(raw = ffi::cart, release = ffi::cart_free, parent = &mut Barn, fork_safe)]
struct HoldingCart;

unsafe extern "C" fn close_number(_: i32) {}

#[record(ffi::load, partial)]
struct Load {
    weight: i32,
}

#[methods(unsafe, rust_only)]
impl Barn {
    #[calls(ffi::barn_new, fails = null)]
    fn new() -> Result<Owned<Barn>>;
}

/// Tells which auto traits `T` has. A constant of the struct itself hides the one of a trait.
struct Facts<T: ?Sized>(PhantomData<T>);

impl<T: ?Sized + Send> Facts<T> {
    const SENDS: bool = true;
}

impl<T: ?Sized + Sync> Facts<T> {
    const SHARES: bool = true;
}

trait StaysHere {
    const SENDS: bool = false;
}

trait SharesNothing {
    const SHARES: bool = false;
}

impl<T: ?Sized> StaysHere for Facts<T> {}
impl<T: ?Sized> SharesNothing for Facts<T> {}

macro_rules! facts {
    ($($type:ty),+ $(,)?) => {
        [$((stringify!($type), Facts::<$type>::SENDS, Facts::<$type>::SHARES)),+]
    };
}

#[test]
fn no_handle_and_no_guard_goes_to_another_thread() {
    let all = facts![
        Barn,
        Stall,
        BoundCart,
        CountedCart,
        LentCart,
        NumberedCart,
        ParkedCart,
        HoldingCart,
        &'static Barn,
        &'static mut Barn,
        Owned<'static, Barn>,
        Owned<'static, BoundCart>,
        Owned<'static, CountedCart>,
        Owned<'static, NumberedCart>,
        Owned<'static, ParkedCart>,
        Owned<'static, HoldingCart>,
        Borrowed<'static, Barn>,
        Borrowed<'static, Stall>,
        Borrowed<'static, LentCart>,
        Tree<'static, Barn>,
        Editing<'static, Stall>,
        Editing<'static, Barn>,
        Successors<'static, Stall>,
        IdleHandles<'static, Barn>,
        CallInfo<'static, Barn>,
        Vec<Owned<'static, Barn>>,
        Result<Owned<'static, Barn>>,
        <Barn as leakproof::Resource>::In<'static>,
    ];
    let wrong: Vec<_> = all
        .iter()
        .filter(|(_, sends, shares)| *sends || *shares)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn copies_and_what_a_handle_keeps_go_to_other_threads() {
    let all = facts![Error, Bytes, TextBuffer<8>, KeptPart, Load, Dict<String, i32>];
    let wrong: Vec<_> = all
        .iter()
        .filter(|(_, sends, shares)| !sends || !shares)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    let _native = Native::start();
    assert_eq!(Barn::new().unwrap().to_string_of_kind(), "Barn");
}

trait Named {
    fn to_string_of_kind(&self) -> &'static str;
}

impl<T: Handle> Named for T {
    fn to_string_of_kind(&self) -> &'static str {
        T::NAME
    }
}

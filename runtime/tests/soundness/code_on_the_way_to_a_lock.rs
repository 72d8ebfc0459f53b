//! A `Deref` of the author's on the way to a library's own lock, behind a C function: it runs when the uses of the call
//! have begun, and changes nothing that the call is about to use.

#![allow(dangerous_implicit_autorefs, reason = "what an author may allow, too")]

use std::cell::RefCell;
use std::ops::Deref;

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    private_interfaces,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, release, touch};

    pub struct vault {
        owners: c_int,
        pub door: door,
    }
    pub struct door {
        pub key: super::Key,
    }
    pub struct key {
        pub lock: *mut c_int,
    }

    pub unsafe extern "C" fn vault_new() -> *mut vault {
        let lock = std::ptr::null_mut();
        let door = door {
            key: super::Key(key { lock }),
        };
        acquire("Vault", vault { owners: 1, door })
    }

    pub unsafe extern "C" fn vault_ref(vault: *mut vault) {
        touch(vault);
        unsafe { (*vault).owners += 1 };
    }

    pub unsafe extern "C" fn vault_unref(vault: *mut vault) {
        touch(vault);
        unsafe { (*vault).owners -= 1 };
        if unsafe { (*vault).owners } == 0 {
            release(vault);
        }
    }

    pub unsafe extern "C" fn vault_door(vault: *mut vault) -> *mut door {
        touch(vault);
        unsafe { &raw mut (*vault).door }
    }

    pub unsafe extern "C" fn enter(_: *mut c_int) {}

    pub unsafe extern "C" fn leave(_: *mut c_int) {}

    pub unsafe extern "C" fn vault_fill(vault: *mut vault) -> c_int {
        touch(vault);
        0
    }
}

struct Key(ffi::key);

impl Deref for Key {
    type Target = ffi::key;

    fn deref(&self) -> &ffi::key {
        if let Some(mut other) = OTHER.take() {
            REFUSED.set(Some(other.fill()));
        }
        &self.0
    }
}

thread_local! {
    /// Another owner of the vault, which the author's code fills next, and what came of it.
    static OTHER: RefCell<Option<Owned<'static, Vault>>> = const { RefCell::new(None) };
    static REFUSED: RefCell<Option<Result<()>>> = const { RefCell::new(None) };
}

#[handle(
    raw = ffi::vault,
    release = ffi::vault_unref,
    retain = ffi::vault_ref,
    independent,
    fork_safe,
    lock(of = (*ffi::vault_door(self)).key.lock, enter = ffi::enter, leave = ffi::leave)
)]
struct Vault;

#[methods(unsafe, rust_only)]
impl Vault {
    #[calls(ffi::vault_new, fails = null)]
    fn new() -> Result<Owned<Vault>>;

    #[calls(ffi::vault_fill, fails = nonzero, detach)]
    fn fill(&mut self) -> Result<()>;
}

#[test]
fn object_is_not_changed_by_another_owner_while_its_lock_is_looked_for() {
    let _native = Native::start();
    let mut vault = Vault::new().unwrap();
    OTHER.set(Some(vault.clone()));
    vault.fill().unwrap();
    let refused = REFUSED.take().unwrap();
    assert!(matches!(refused, Err(Error::Busy("Vault"))), "{refused:?}");
}

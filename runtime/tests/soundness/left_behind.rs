//! Releases that are deferred just when the use in their way ends.

use std::sync::atomic::{AtomicUsize, Ordering};

use leakproof::live_handles;
use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicI32, Ordering};

    pub struct mill {
        owners: AtomicI32,
    }
    pub struct sack {
        _mill: *mut mill,
    }

    /// The library's own mill.
    pub unsafe extern "C" fn mill_default() -> *mut mill {
        static MILL: OnceLock<usize> = OnceLock::new();
        let new = || {
            Box::into_raw(Box::new(mill {
                owners: AtomicI32::new(1),
            }))
            .expose_provenance()
        };
        std::ptr::with_exposed_provenance_mut(*MILL.get_or_init(new))
    }

    pub unsafe extern "C" fn mill_ref(mill: *mut mill) {
        unsafe { &(*mill).owners }.fetch_add(1, Ordering::SeqCst);
    }

    pub unsafe extern "C" fn mill_free(mill: *mut mill) {
        unsafe { &(*mill).owners }.fetch_sub(1, Ordering::SeqCst);
    }

    pub unsafe extern "C" fn mill_turn(_: *mut mill) -> std::ffi::c_int {
        (0..200).for_each(|_| std::hint::spin_loop());
        0
    }

    pub unsafe extern "C" fn mill_sack(mill: *mut mill) -> *mut sack {
        Box::into_raw(Box::new(sack { _mill: mill }))
    }

    pub unsafe extern "C" fn sack_free(sack: *mut sack) {
        drop(unsafe { Box::from_raw(sack) });
    }
}

#[handle(raw = ffi::mill, release = ffi::mill_free, retain = ffi::mill_ref, independent, fork_safe)]
struct Mill;

#[handle(raw = ffi::sack, release = ffi::sack_free, parent = Mill, fork_safe)]
struct FlourSack;

#[methods(unsafe, rust_only)]
impl Mill {
    #[calls(ffi::mill_default, fails = null, retain)]
    fn shared() -> Result<Owned<Mill>>;

    #[calls(ffi::mill_turn, fails = nonzero)]
    fn turn(&mut self) -> Result<()>;

    #[calls(ffi::mill_sack, fails = null)]
    fn sack(&self) -> Result<Owned<FlourSack>>;
}

#[test]
#[cfg_attr(miri, ignore = "Miri takes too long")]
fn release_runs_whenever_the_use_in_its_way_ends() {
    let _native = Native::start();
    const ROUNDS: usize = 3000;
    let (round, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let wait = |for_: &AtomicUsize, n| {
        while for_.load(Ordering::SeqCst) < n {
            std::thread::yield_now();
        }
    };
    let mill = Mill::shared().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut mill = Mill::shared().unwrap();
            for n in 1..=ROUNDS {
                wait(&round, n);
                // Refused where the release runs just now.
                let _ = mill.turn();
                done.store(n, Ordering::SeqCst);
            }
            wait(&round, ROUNDS + 1);
        });
        for n in 1..=ROUNDS {
            let sack = mill.sack().unwrap();
            round.store(n, Ordering::SeqCst);
            (0..(n % 97) * 20).for_each(|_| std::hint::spin_loop());
            sack.close().unwrap();
            wait(&done, n);
            assert_eq!(live_handles()["FlourSack"], 0, "round {n}");
        }
        round.store(ROUNDS + 1, Ordering::SeqCst);
    });
}

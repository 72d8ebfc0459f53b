//! Calls on a handle that began before C kept another one in it, and still run then. They have a process of their own,
//! because methods that give C a handle to keep change all calls of a process.

use std::sync::mpsc::channel;

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::{null_mut, with_exposed_provenance_mut};
    use std::sync::mpsc::{Receiver, Sender};
    use std::sync::{Mutex, OnceLock, PoisonError};

    pub struct lake {
        pub depth: c_int,
    }
    pub struct fish {
        lake: *mut lake,
    }
    pub struct net {
        fish: Mutex<Vec<*mut fish>>,
        part: part,
    }
    /// A part of a net.
    pub struct part {
        pub net: *mut net,
    }
    /// A thing that is made in a net.
    pub struct hook {
        net: *mut net,
    }

    /// The gate at which `net_depths` says that it has begun, and waits.
    pub static SLOW: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

    fn wait() {
        let slow = SLOW.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some((begun, may_go_on)) = slow {
            let _ = begun.send(());
            let _ = may_go_on.recv();
        }
    }

    pub unsafe extern "C" fn lake_new() -> *mut lake {
        Box::into_raw(Box::new(lake { depth: 1 }))
    }

    pub unsafe extern "C" fn lake_free(lake: *mut lake) {
        drop(unsafe { Box::from_raw(lake) });
    }

    /// Nothing else may read the lake meanwhile.
    pub unsafe extern "C" fn lake_dig(lake: *mut lake) -> c_int {
        unsafe { (*lake).depth = 2 };
        0
    }

    pub unsafe extern "C" fn lake_fish(lake: *mut lake) -> *mut fish {
        Box::into_raw(Box::new(fish { lake }))
    }

    pub unsafe extern "C" fn fish_free(fish: *mut fish) {
        drop(unsafe { Box::from_raw(fish) });
    }

    /// The library's own net, which every thread may use.
    pub unsafe extern "C" fn net_common() -> *mut net {
        static NET: OnceLock<usize> = OnceLock::new();
        let net = NET.get_or_init(|| {
            let (fish, part) = (Mutex::default(), part { net: null_mut() });
            let net = Box::into_raw(Box::new(net { fish, part }));
            unsafe { (*net).part.net = net };
            net.expose_provenance()
        });
        with_exposed_provenance_mut(*net)
    }

    pub unsafe extern "C" fn net_free(_: *mut net) {
        unreachable!("nobody owns a net");
    }

    pub unsafe extern "C" fn net_add(net: *mut net, fish: *mut fish) {
        unsafe { &*net }.fish.lock().unwrap().push(fish);
    }

    pub unsafe extern "C" fn net_part(net: *mut net) -> *mut part {
        unsafe { &raw mut (*net).part }
    }

    pub unsafe extern "C" fn net_hook(net: *mut net) -> *mut hook {
        Box::into_raw(Box::new(hook { net }))
    }

    pub unsafe extern "C" fn hook_free(hook: *mut hook) {
        drop(unsafe { Box::from_raw(hook) });
    }

    /// The depths of the lakes of all fish, after a while.
    pub unsafe extern "C" fn net_depths(net: *const net) -> c_int {
        wait();
        let fish = unsafe { &*net }.fish.lock().unwrap();
        fish.iter()
            .map(|fish| unsafe { (*(**fish).lake).depth })
            .sum()
    }

    pub unsafe extern "C" fn part_depths(part: *const part) -> c_int {
        unsafe { net_depths((*part).net) }
    }

    pub unsafe extern "C" fn hook_depths(hook: *const hook) -> c_int {
        unsafe { net_depths((*hook).net) }
    }
}

#[handle(raw = ffi::lake, release = ffi::lake_free)]
struct Lake;

#[handle(raw = ffi::fish, release = ffi::fish_free, parent = Lake)]
struct Fish;

#[handle(raw = ffi::net, release = ffi::net_free)]
struct Net;

#[handle(raw = ffi::part, part_of = Net, owner_field = net)]
struct Part;

#[handle(raw = ffi::hook, release = ffi::hook_free, parent = Net)]
struct Hook;

#[methods(unsafe, rust_only)]
impl Lake {
    #[calls(ffi::lake_new, fails = null)]
    fn new() -> Result<Owned<Lake>>;

    #[calls(ffi::lake_dig, fails = nonzero)]
    fn dig(&mut self) -> Result<()>;

    #[calls(ffi::lake_fish, fails = null)]
    fn fish(&self) -> Result<Owned<Fish>>;
}

#[methods(unsafe, rust_only)]
impl Net {
    #[calls(ffi::net_common, fails = null)]
    fn common() -> Result<Borrowed<Net>>;

    #[calls(ffi::net_add)]
    fn add(&self, fish: Owned<Fish>);

    #[calls(ffi::net_part, fails = null)]
    fn part(&self) -> Result<Borrowed<Part>>;

    #[calls(ffi::net_hook, fails = null)]
    fn hook(&self) -> Result<Owned<Hook>>;

    #[calls(ffi::net_depths)]
    fn depths(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Part {
    #[calls(ffi::part_depths)]
    fn depths(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Hook {
    #[calls(ffi::hook_depths)]
    fn depths(&self) -> i32;
}

/// Gives a net a fish while `slow` runs on another thread, and uses the lake of the fish exclusively.
fn dig_beside(slow: fn(&Net) -> i32) {
    let mut lake = Lake::new().unwrap();
    let ((begun, has_begun), (go_on, may_go_on)) = (channel(), channel());
    *ffi::SLOW.lock().unwrap() = Some((begun, may_go_on));
    std::thread::scope(|scope| {
        let depths = scope.spawn(|| slow(&Net::common().unwrap()));
        has_begun.recv().unwrap();
        Net::common().unwrap().add(lake.fish().unwrap());
        let dug = lake.dig();
        go_on.send(()).unwrap();
        depths.join().unwrap();
        assert!(matches!(dug, Err(Error::Busy("Lake"))), "{dug:?}");
    });
    // The call has ended.
    lake.dig().unwrap();
}

#[test]
fn call_that_runs_uses_what_its_handle_gets_to_keep() {
    // The first fish of the process, and another one.
    dig_beside(Net::depths);
    dig_beside(Net::depths);
    dig_beside(|net| net.part().unwrap().depths());
    dig_beside(|net| net.hook().unwrap().depths());
}

//! Ponds, their fish, and nets that keep fish. A fish looks at its pond. Nets of a boat share a lock.

use std::ffi::c_int;
use std::sync::atomic::{AtomicBool, Ordering};

use super::control::{note, pass_gate, set_gate};

pub struct pond {
    is_dredged: AtomicBool,
}

pub struct fish {
    pond: *mut pond,
}

/// The roe of a fish, which sticks so often.
pub struct roe {
    fish: *mut fish,
    sticks: c_int,
}

pub struct net {
    fish: Vec<*mut fish>,
    nets: Vec<*mut net>,
}

/// Notes where a pond is used beside what nothing else may be called beside.
unsafe fn look(pond: *mut pond) {
    // SAFETY: the pond is valid.
    if unsafe { (*pond).is_dredged.load(Ordering::Relaxed) } {
        note("a pond was used while it was dredged");
    }
}

pub unsafe extern "C" fn pond_new() -> *mut pond {
    Box::into_raw(Box::new(pond {
        is_dredged: AtomicBool::new(false),
    }))
}

pub unsafe extern "C" fn pond_free(pond: *mut pond) {
    // SAFETY: a valid pond, released once.
    unsafe {
        look(pond);
        drop(Box::from_raw(pond));
    }
}

/// Waits at the gate. Nothing else may be called on the pond meanwhile, but `pond_stop`.
pub unsafe extern "C" fn pond_dredge(pond: *mut pond) -> c_int {
    // SAFETY: the pond is valid.
    let is_dredged = unsafe { &(*pond).is_dredged };
    is_dredged.store(true, Ordering::Relaxed);
    pass_gate();
    is_dredged.store(false, Ordering::Relaxed);
    0
}

/// Opens the gate.
pub unsafe extern "C" fn pond_stop(_: *mut pond) {
    set_gate(false);
}

pub unsafe extern "C" fn pond_fish(pond: *mut pond) -> *mut fish {
    Box::into_raw(Box::new(fish { pond }))
}

pub unsafe extern "C" fn fish_free(fish: *mut fish) {
    // SAFETY: a valid fish, released once; its pond is valid.
    unsafe {
        look((*fish).pond);
        drop(Box::from_raw(fish));
    }
    note("fish_free");
}

pub unsafe extern "C" fn fish_roe(fish: *mut fish, sticks: c_int) -> *mut roe {
    Box::into_raw(Box::new(roe { fish, sticks }))
}

/// Fails while the roe sticks.
pub unsafe extern "C" fn roe_free(roe: *mut roe) -> c_int {
    // SAFETY: a valid roe, which is released by the call that succeeds; its fish and the pond are valid.
    unsafe {
        look((*(*roe).fish).pond);
        if (*roe).sticks > 0 {
            (*roe).sticks -= 1;
            return -1;
        }
        drop(Box::from_raw(roe));
    }
    note("roe_free");
    0
}

pub unsafe extern "C" fn net_new() -> *mut net {
    let (fish, nets) = (Vec::new(), Vec::new());
    Box::into_raw(Box::new(net { fish, nets }))
}

pub unsafe extern "C" fn net_add(net: *mut net, fish: *mut fish) {
    // SAFETY: both are valid, and the fish is the net's from now on.
    unsafe { (*net).fish.push(fish) };
}

pub unsafe extern "C" fn net_weight(net: *mut net) -> c_int {
    // SAFETY: the net is valid, and so are its fish and their ponds.
    unsafe {
        let fish = &(*net).fish;
        fish.iter().for_each(|fish| look((**fish).pond));
        fish.len() as c_int
    }
}

pub unsafe extern "C" fn net_stow(net: *mut net, other: *mut net) {
    // SAFETY: both are valid, and the other one is the net's from now on.
    unsafe { (*net).nets.push(other) };
}

/// Gives back the net that was stowed last.
pub unsafe extern "C" fn net_haul(net: *mut net) -> *mut net {
    // SAFETY: the net is valid.
    unsafe { (*net).nets.pop() }.unwrap_or(std::ptr::null_mut())
}

pub unsafe extern "C" fn net_free(net: *mut net) {
    // SAFETY: a valid net, released once with its fish.
    unsafe {
        let net = Box::from_raw(net);
        net.fish.iter().for_each(|fish| fish_free(*fish));
        net.nets.iter().for_each(|net| net_free(*net));
    }
}

/// Waits at the gate, then looks at the ponds of the fish.
pub unsafe extern "C" fn net_weigh_at_gate(net: *mut net) -> c_int {
    pass_gate();
    // SAFETY: the net is valid.
    unsafe { net_weight(net) }
}

pub struct harbor {
    boats: c_int,
}

pub struct boat {
    harbor: *mut harbor,
}

pub unsafe extern "C" fn harbor_new() -> *mut harbor {
    Box::into_raw(Box::new(harbor { boats: 0 }))
}

pub unsafe extern "C" fn harbor_free(harbor: *mut harbor) {
    // SAFETY: a valid harbor, released once.
    drop(unsafe { Box::from_raw(harbor) });
    note("harbor_free");
}

pub unsafe extern "C" fn harbor_boat(harbor: *mut harbor) -> *mut boat {
    // SAFETY: the harbor is valid.
    unsafe { (*harbor).boats += 1 };
    Box::into_raw(Box::new(boat { harbor }))
}

pub unsafe extern "C" fn boat_free(boat: *mut boat) {
    // SAFETY: a valid boat, released once; its harbor is valid.
    unsafe {
        (*(*boat).harbor).boats -= 1;
        drop(Box::from_raw(boat));
    }
    note("boat_free");
}

pub unsafe extern "C" fn boat_net(_: *mut boat) -> *mut net {
    // SAFETY: the function makes a net of its own.
    unsafe { net_new() }
}

pub struct winch {
    _locked: bool,
}

static WINCH: winch = winch { _locked: false };

/// Returns the lock of the nets. Looks at the ponds of the fish, as a library does that finds its lock in the net.
pub unsafe extern "C" fn net_winch(net: *mut net) -> *mut winch {
    // SAFETY: the net is valid.
    unsafe { net_weight(net) };
    (&raw const WINCH).cast_mut()
}

/// Enters the lock, which no two tests contend for.
pub unsafe extern "C" fn winch_enter(_: *mut winch) {}

pub unsafe extern "C" fn winch_leave(_: *mut winch) {}

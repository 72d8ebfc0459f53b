//! Handles that C keeps in others, and calls that nothing may run beside.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A pond.
#[handle(raw = ffi::pond, release = ffi::pond_free, interrupt = Pond::stop)]
pub struct Pond;

#[methods(unsafe)]
impl Pond {
    /// Makes a pond.
    #[new]
    #[calls(ffi::pond_new, fails = null)]
    fn new() -> Result<Owned<Pond>>;

    /// Makes a fish.
    #[calls(ffi::pond_fish, fails = null)]
    fn fish(&self) -> Result<Owned<Fish>>;

    /// Waits at the gate, alone.
    #[calls(ffi::pond_dredge, fails = negative, detach)]
    fn dredge(&mut self) -> Result<c_int>;

    /// Waits at the gate, alone, while signal handlers run.
    #[calls(ffi::pond_dredge, fails = negative, detach, interrupt = Pond::stop)]
    fn dredge_interruptibly(&mut self) -> Result<c_int>;

    /// Opens the gate.
    #[calls(ffi::pond_stop)]
    fn stop(&self);
}

/// A fish.
#[handle(raw = ffi::fish, release = ffi::fish_free, parent = Pond)]
pub struct Fish;

#[methods(unsafe)]
impl Fish {
    /// Makes roe, which C refuses to release so often.
    #[calls(ffi::fish_roe, fails = null)]
    fn roe(&self, sticks: c_int) -> Result<Owned<Roe>>;
}

/// The roe of a fish.
#[handle(raw = ffi::roe, release(ffi::roe_free, fails = nonzero, on_failure = kept), parent = Fish)]
pub struct Roe;

/// A net, which keeps fish.
#[handle(raw = ffi::net, release = ffi::net_free)]
pub struct Net;

#[methods(unsafe)]
impl Net {
    /// Makes a net.
    #[new]
    #[calls(ffi::net_new, fails = null)]
    fn new() -> Result<Owned<Net>>;

    /// Adds a fish.
    #[calls(ffi::net_add, consumes = always)]
    fn add(&mut self, fish: Owned<Fish>);

    /// Stows another net in this one.
    #[calls(ffi::net_stow, consumes = always)]
    fn stow(&mut self, net: Owned<Net>);

    /// Takes out the net that was stowed last.
    #[calls(ffi::net_haul, gives_back)]
    fn haul(&mut self) -> Option<Owned<Net>>;

    /// Counts the fish, and looks at their ponds.
    #[calls(ffi::net_weight)]
    fn weight(&self) -> c_int;

    /// Counts the fish, as a call that may fail.
    #[calls(ffi::net_weight, fails = negative)]
    fn weigh(&self) -> Result<c_int>;
    /// Waits at the gate, then counts the fish.
    #[calls(ffi::net_weigh_at_gate, detach)]
    fn weigh_at_gate(&self) -> c_int;
}

/// A harbor.
#[handle(raw = ffi::harbor, release = ffi::harbor_free)]
pub struct Harbor;

#[methods(unsafe)]
impl Harbor {
    /// Makes a harbor.
    #[new]
    #[calls(ffi::harbor_new, fails = null)]
    fn new() -> Result<Owned<Harbor>>;

    /// Makes a boat.
    #[calls(ffi::harbor_boat, fails = null)]
    fn boat(&self) -> Result<Owned<Boat>>;
}

/// A boat of a harbor.
#[handle(raw = ffi::boat, release = ffi::boat_free, parent = Harbor)]
pub struct Boat;

#[methods(unsafe)]
impl Boat {
    /// Makes a trawl.
    #[calls(ffi::boat_net, fails = null)]
    fn trawl(&self) -> Result<Owned<Trawl>>;

    /// Casts a seine, which needs the whole boat.
    #[calls(ffi::boat_net, fails = null)]
    fn seine(&mut self) -> Result<Owned<Seine>>;
}

/// A net that has its boat alone.
#[handle(raw = ffi::net, release = ffi::net_free, parent = &mut Boat)]
pub struct Seine;

#[methods(unsafe)]
impl Seine {
    /// Adds a fish.
    #[calls(ffi::net_add, consumes = always)]
    fn add(&mut self, fish: Owned<Fish>);
}

/// A net of a boat, whose calls hold the library's lock.
#[handle(
    raw = ffi::net,
    release = ffi::net_free,
    parent = Boat,
    lock(of = ffi::net_winch, enter = ffi::winch_enter, leave = ffi::winch_leave)
)]
pub struct Trawl;

#[methods(unsafe)]
impl Trawl {
    /// Adds a fish.
    #[calls(ffi::net_add, consumes = always)]
    fn add(&mut self, fish: Owned<Fish>);

    /// Counts the fish, and looks at their ponds.
    #[calls(ffi::net_weight, detach)]
    fn weight(&self) -> c_int;

    /// Counts the fish, as a call that may fail.
    #[calls(ffi::net_weight, fails = negative, detach)]
    fn weigh(&self) -> Result<c_int>;
}

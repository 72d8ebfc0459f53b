//! Handles that C keeps in another handle, and that the caller releases.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A tune.
#[handle(raw = ffi::tune, release = ffi::tune_free, fork_safe)]
pub struct Tune;

#[methods(unsafe)]
impl Tune {
    /// Makes a tune of so many notes.
    #[new]
    #[calls(ffi::tune_new, fails = null)]
    fn new(notes: c_int) -> Result<Owned<Tune>>;

    /// The number of notes.
    #[getter]
    #[calls(ffi::tune_notes)]
    fn notes(&self) -> c_int;
}

/// A player, which keeps tunes that it does not own.
#[handle(raw = ffi::player, release = ffi::player_free, attachments, fork_safe)]
pub struct Player;

#[methods(unsafe)]
impl Player {
    /// Makes a player without a tune.
    #[new]
    #[calls(ffi::player_new, fails = null)]
    fn new() -> Result<Owned<Player>>;

    /// Plays `tune` from now on, or none.
    #[calls(ffi::player_set_tune, fails = negative, scope = until_replaced)]
    fn set_tune(&mut self, tune: Option<Owned<Tune>>) -> Result<()>;

    /// Plays `tune`, too.
    #[calls(ffi::player_set_encore, scope = handle)]
    fn set_encore(&self, tune: Owned<Tune>);

    /// Returns the number of notes.
    #[calls(ffi::player_play)]
    fn play(&self) -> c_int;

    /// Plays the tune, if there is one, as the encore.
    fn repeat(&mut self, tune: Option<Owned<Tune>>) -> bool {
        tune.is_some_and(|tune| {
            self.set_encore(tune);
            true
        })
    }
}

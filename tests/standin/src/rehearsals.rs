//! Handles that C lends to callbacks, given to Python callables.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::{with_object, with_object_mut};

use crate::ffi;

/// A tune that is being rehearsed.
#[handle(raw = ffi::tune, callback_only)]
pub struct Rehearsed;

#[methods(unsafe)]
impl Rehearsed {
    /// The number of notes.
    #[getter]
    #[calls(ffi::tune_notes)]
    fn notes(&self) -> c_int;

    /// Changes the number of notes.
    #[setter]
    #[field(notes)]
    fn set_notes(&mut self, notes: c_int);

    /// Returns the number of notes of this tune and of another one.
    fn together_with(&self, other: &Rehearsed) -> c_int {
        self.notes() + other.notes()
    }

    /// The beat of the tune.
    #[getter]
    #[field(self)]
    fn beat(&self) -> Option<Borrowed<Beat>>;

    /// The sheet of the tune, which cannot be exported.
    fn sheet(&self) -> &[u8] {
        b"do re mi"
    }
}

/// The beat of a tune.
#[handle(raw = ffi::tune, part_of = Rehearsed)]
pub struct Beat;

#[methods(unsafe)]
impl Beat {
    /// The number of beats.
    #[getter]
    #[field(notes)]
    fn count(&self) -> c_int;
}

#[derive(Attachment)]
struct Listener(Callable);

#[callbacks(unsafe)]
impl Listener {
    #[callback(ffi::listen_t, args = (data, tune))]
    fn listen(&self, tune: &Rehearsed) -> Result<()> {
        with_object(tune, |tune| self.0.call_unit((tune,)))
    }

    #[callback(ffi::listen_t, args = (data, tune))]
    fn change(&self, tune: &mut Rehearsed) -> Result<()> {
        with_object_mut(tune, |tune| self.0.call_unit((tune,)))
    }

    #[callback(ffi::listen_t, args = (data, tune))]
    fn panic(&self, tune: &Rehearsed) -> Result<()> {
        with_object(tune, |tune| {
            self.0.call_unit((tune,))?;
            panic!("panicked")
        })
    }
}

#[methods(unsafe)]
impl crate::players::Player {
    #[rust_only]
    #[calls(ffi::player_rehearse, args = (self, listener.listen, listener.data), fails = negative)]
    fn with_listener(&mut self, listener: &Listener) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::player_rehearse, args = (self, listener.change, listener.data), fails = negative)]
    fn with_changer(&mut self, listener: &Listener) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::player_rehearse, args = (self, listener.panic, listener.data), fails = negative)]
    fn with_panicker(&mut self, listener: &Listener) -> Result<c_int>;

    /// Shows the tune to `listener`, and plays it.
    fn rehearse(&mut self, listener: Callable) -> Result<c_int> {
        self.with_listener(&Listener(listener))
    }

    /// Lets `listener` change the tune, and plays it.
    fn rework(&mut self, listener: Callable) -> Result<c_int> {
        self.with_changer(&Listener(listener))
    }

    /// Shows the tune to `listener`, and panics.
    fn stumble(&mut self, listener: Callable) -> Result<c_int> {
        self.with_panicker(&Listener(listener))
    }

    /// Shows the tune to `listener` without the GIL, and plays it.
    #[detach]
    fn rehearse_detached(&mut self, listener: Callable) -> Result<c_int> {
        self.with_listener(&Listener(listener))
    }
}

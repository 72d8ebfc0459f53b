//! Parcels, which are given to C, and what lives in them.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A parcel.
#[handle(raw = ffi::parcel, release = ffi::parcel_free, fork_safe)]
pub struct Parcel;

#[methods(unsafe)]
impl Parcel {
    /// Makes a parcel.
    #[new]
    #[calls(ffi::parcel_new, fails = null)]
    pub(crate) fn new(weight: c_int) -> Result<Owned<Parcel>>;

    /// Returns the weight, once the gate is open.
    #[calls(ffi::parcel_weight, detach)]
    fn weight(&self) -> c_int;

    /// Changes the weight. Fails for a negative one.
    #[calls(ffi::parcel_reweigh, fails = negative)]
    fn reweigh(&mut self, weight: c_int) -> Result<()>;

    /// The label on the parcel.
    #[getter]
    #[field(self)]
    fn label(&self) -> Option<Borrowed<Label>>;

    /// Makes a tag on the parcel.
    #[calls(ffi::parcel_tag, fails = null)]
    fn tag(&self) -> Result<Owned<Tag>>;
}

/// The label on a parcel, which is a part of the parcel.
#[handle(raw = ffi::parcel, part_of = Parcel)]
pub struct Label;

#[methods(unsafe)]
impl Label {
    /// The weight.
    #[getter]
    #[field(weight)]
    fn weight(&self) -> c_int;
}

/// A tag on a parcel.
#[handle(raw = ffi::tag, release = ffi::tag_free, parent = Parcel)]
pub struct Tag;

/// A board, which keeps a tag until it is gone.
#[handle(raw = ffi::board, release(ffi::board_free, detach), fork_safe)]
pub struct Board;

#[methods(unsafe)]
impl Board {
    /// Makes a board.
    #[new]
    #[calls(ffi::board_new, fails = null)]
    fn new() -> Result<Owned<Board>>;

    /// Pins a tag to the board. Fails if there is one already.
    #[calls(ffi::board_pin, fails = negative, consumes = on_success)]
    fn pin(&mut self, tag: Owned<Tag>) -> Result<()>;

    /// Returns the weight of the parcel of both.
    fn weight_of(&self, tag: &Tag, ribbon: &Ribbon) -> Result<c_int> {
        let parcel: &Parcel = leakproof::parent_of(tag)?;
        Ok(parcel.weight().max(ribbon.weight()))
    }

    /// Ties a ribbon to `parcel`, which lies beside the other one.
    #[calls(ffi::board_ribbon, fails = null, keep_alive = (parcel))]
    fn ribbon(&self, beside: &Parcel, parcel: &Parcel) -> Result<Owned<Ribbon>>;
}

/// A ribbon from a board to a parcel.
#[handle(raw = ffi::ribbon, release = ffi::ribbon_free, parent = (Board, Parcel), lends)]
pub struct Ribbon;

#[methods(unsafe)]
impl Ribbon {
    /// Returns the weight of the parcel, once the gate is open.
    #[calls(ffi::ribbon_weight, detach)]
    fn weight(&self) -> c_int;

    /// Returns the weight of the parcel, which the parcel itself says.
    fn weight_of_parcel(&self) -> Result<c_int> {
        let parcel: &Parcel = leakproof::parent_of(self)?;
        Ok(parcel.weight())
    }

    /// Returns whether both ribbons are of one board.
    #[foreign(other)]
    fn is_beside(&self, other: &Ribbon) -> Result<bool> {
        let (board, same): (&Board, &Board) =
            (leakproof::parent_of(self)?, leakproof::parent_of(other)?);
        Ok(std::ptr::eq(board, same))
    }

    /// The bow, which is tied anew when the parcel changes.
    #[getter]
    #[field(self)]
    fn bow(&self) -> Option<Borrowed<Bow>>;
}

/// The bow of a ribbon.
#[handle(raw = ffi::ribbon, part_of = Ribbon, until_mut)]
pub struct Bow;

#[methods(unsafe)]
impl Bow {
    /// Returns the weight of the parcel.
    #[calls(ffi::ribbon_weight)]
    fn weight(&self) -> c_int;
}

/// A parcel that one thread keeps.
#[handle(raw = ffi::parcel, release = ffi::parcel_free, fork_safe, thread_bound, lends)]
pub struct Keepsake;

#[methods(unsafe)]
impl Keepsake {
    /// Makes a parcel of this weight.
    #[new]
    #[calls(ffi::parcel_new, fails = null)]
    fn new(weight: c_int) -> Result<Owned<Keepsake>>;

    /// The weight.
    #[field(weight)]
    #[getter]
    fn weight(&self) -> c_int;

    /// The bytes of the weight.
    #[getter]
    #[calls(ffi::parcel_memory, len = ffi::parcel_memory_size)]
    fn memory(&self) -> Option<&[u8]>;

    /// The memory of the parcel.
    fn __buffer__(&self) -> Option<&[u8]> {
        self.memory()
    }
}

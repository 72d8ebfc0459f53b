//! Values: several results of one call, flags, records, and an enum that borrows.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// The look of a line.
#[int_flag(c_int)]
pub enum Marks {
    /// Thin.
    FINE = ffi::FINE,
    /// Thick.
    BOLD = ffi::BOLD,
    /// The sign bit of C's type.
    LAST = ffi::LAST,
}

/// Marks of a library that gets new ones often.
#[int_flag(c_int, boundary = keep)]
pub enum OpenMarks {
    /// Thin.
    FINE = ffi::FINE,
    /// Thick.
    BOLD = ffi::BOLD,
}

/// A point.
#[record(ffi::point)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Down.
    pub y: f64,
}

/// A line.
#[record(ffi::segment)]
pub struct Segment {
    /// The start.
    #[field(from)]
    pub start: Point,
    /// The end.
    #[field(to)]
    pub end: Point,
    /// The look.
    pub marks: Marks,
}

/// A stamp.
#[record(ffi::stamp)]
pub struct Stamp {
    /// Its bytes.
    pub id: [u8; 4],
    /// Its characters.
    pub text: [u8; 4],
}

/// A sheet of paper.
#[handle(raw = ffi::sheet, release = ffi::sheet_free)]
pub struct Sheet;

/// A pin.
#[handle(raw = ffi::pin, release = ffi::pin_free)]
pub struct Pin;

/// The lower right corner of a sheet.
#[handle(raw = ffi::sheet, part_of = Sheet)]
pub struct Corner;

/// The thing at a place of a sheet. It borrows under the name that the generated code is likely to use, too.
#[derive(IntoPython)]
pub(crate) enum Place<'a> {
    /// A corner.
    Corner(Borrowed<'a, Corner>),
    /// Nothing there.
    Free(i32),
}

#[methods(unsafe)]
impl Sheet {
    /// Makes a sheet.
    #[new]
    #[calls(ffi::sheet_new, fails = null)]
    fn new() -> Result<Owned<Sheet>>;

    /// Returns the extents.
    #[calls(ffi::sheet_extents, args = (self, out, out, out, out))]
    fn extents(&self) -> (f64, f64, f64, f64);

    /// The stamp, reversed.
    #[calls(ffi::sheet_stamp, args = (self, stamp, out))]
    fn stamp(&self, stamp: &Stamp) -> Stamp;

    /// Makes two pins. Fails for a negative number.
    #[calls(ffi::sheet_pins, args = (self, number, out, out, out), fails = negative, on_failure = owned)]
    fn pins(&mut self, number: c_int) -> Result<(Owned<Pin>, Owned<Pin>, c_int)>;

    /// The corner.
    #[rust_only]
    #[field(self)]
    fn corner(&self) -> Option<Borrowed<Corner>>;

    /// Returns what the sheet has at the number.
    fn at<'a>(&'a self, number: i32) -> Place<'a> {
        match self.corner() {
            Some(corner) if number == 0 => Place::Corner(corner),
            _ => Place::Free(number),
        }
    }

    /// Twelve values.
    fn dozen(&self) -> (i8, i16, i32, i64, u8, u16, u32, u64, f32, f64, bool, String) {
        (1, 2, 3, 4, 5, 6, 7, 8, 9.0, 10.0, true, "12".into())
    }

    /// A method that only another build has.
    #[cfg(any())]
    fn missing(&self) -> i32 {
        0
    }
}

#[methods(unsafe)]
impl Pin {
    /// Its number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

#[methods(unsafe)]
impl Corner {
    /// The place.
    #[getter]
    #[field(corner)]
    fn point(&self) -> Point;
}

/// The number that C gets for the marks.
#[leakproof::function]
pub(crate) fn number_of_marks(marks: Marks) -> c_int {
    marks.0
}

/// The marks that C would return as this number.
#[leakproof::function]
pub(crate) fn marks_of_number(number: c_int) -> Marks {
    Marks(number)
}

/// The number that C gets for the marks.
#[leakproof::function]
pub(crate) fn number_of_open_marks(marks: OpenMarks) -> c_int {
    marks.0
}

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

/// Marks of a library that never gets new ones.
#[int_flag(c_int, boundary = strict)]
pub enum StrictMarks {
    /// Thin.
    FINE = ffi::FINE,
    /// Thick.
    BOLD = ffi::BOLD,
}

/// The finish of a sheet. The header has comments of its members.
#[int_enum(c_int)]
pub enum Finish {
    MATTE = ffi::MATTE,
    GLOSS = (ffi::GLOSS) as c_int,
    /// Another name.
    SHINY = ffi::GLOSS,
}

#[int_enum(ffi::open_finish, boundary = keep)]
pub enum OpenFinish {
    MATTE = ffi::MATTE,
    GLOSS = ffi::GLOSS,
}

/// The finish of a library that never gets new ones.
#[int_enum(c_int, boundary = strict)]
pub enum StrictFinish {
    MATTE = ffi::MATTE,
    GLOSS = ffi::GLOSS,
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

/// The text of a stamp.
#[record(ffi::stamp, ord)]
pub struct Inscription {
    /// Any bytes.
    pub id: CString,
    /// UTF-8.
    pub text: String,
}

/// The text of a stamp, whatever it is.
#[record(ffi::stamp)]
pub struct Scribble {
    /// Text that may be no UTF-8.
    #[field(text, utf8 = lossy)]
    pub words: String,
}

/// A caption without its neighbors.
#[record(ffi::caption, partial, ord)]
pub struct Caption {
    /// Its size.
    pub size: c_int,
    /// Its words.
    pub text: String,
    /// To the right.
    #[field(place.x)]
    pub left: f64,
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

    /// The text of the stamp, reversed.
    #[calls(ffi::sheet_stamp, args = (self, stamp, out))]
    fn inscription(&self, stamp: &Stamp) -> Inscription;

    /// The text of the stamp, reversed.
    #[calls(ffi::sheet_stamp, args = (self, stamp, out))]
    fn scribble(&self, stamp: &Stamp) -> Scribble;

    /// The inscription, reversed.
    #[calls(ffi::sheet_stamp, args = (self, inscription, out))]
    fn stamp_of(&self, inscription: &Inscription) -> Stamp;

    /// Returns a caption, or nothing for a negative size.
    #[calls(ffi::sheet_caption, args = (self, size, out), none = when(|found| found == 0))]
    fn caption(&self, size: c_int) -> Option<Caption>;

    /// Returns the caption as a body gets it.
    fn same_caption(&self, caption: &Caption) -> Caption {
        *caption
    }

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

/// The number that C gets for each, and what Python makes of it.
#[leakproof::function]
pub(crate) fn finish(finish: Finish, number: c_int) -> (c_int, Finish) {
    (finish.0, Finish(number))
}

/// The number that C gets for each, and what Python makes of it.
#[leakproof::function]
pub(crate) fn open_finish(value: OpenFinish, number: c_int) -> (c_int, OpenFinish) {
    (value.0, OpenFinish(number))
}

/// The number that C gets for each, and what Python makes of it.
#[leakproof::function]
pub(crate) fn strict_finish(value: StrictFinish, number: c_int) -> (c_int, StrictFinish) {
    (value.0, StrictFinish(number))
}

/// The number that C gets for each, and what Python makes of it.
#[leakproof::function]
pub(crate) fn strict_marks(value: StrictMarks, number: c_int) -> (c_int, StrictMarks) {
    (value.bits(), StrictMarks(number))
}

/// The number that C gets for the marks.
#[leakproof::function]
pub(crate) fn number_of_open_marks(marks: OpenMarks) -> c_int {
    marks.0
}

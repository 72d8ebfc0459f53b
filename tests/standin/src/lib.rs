//! A library that does what C libraries do at the worst moment, for the tests of the runtime's Python half.

use leakproof::prelude::*;

mod attached;
mod bases;
mod configs;
mod feeds;
#[path = "../../../runtime/tests/library/mod.rs"]
mod ffi;
mod folders;
mod intakes;
mod letters;
mod lists;
mod loaders;
mod measures;
mod numbers;
mod outlines;
mod parcels;
mod pictures;
mod players;
mod ponds;
mod quotes;
mod rehearsals;
mod search;
mod sessions;
mod shapes;
mod store;
mod values;

/// Lets every call wait at the gate.
#[leakproof::function]
fn close_gate() {
    ffi::set_gate(true);
}

/// Opens the gate: calls that wait there go on.
#[leakproof::function]
fn open_gate() {
    ffi::set_gate(false);
}

/// Returns the number of calls that wait at the gate.
#[leakproof::function]
fn at_gate() -> usize {
    ffi::at_gate()
}

/// Returns whether the file exists.
#[leakproof::function]
fn exists(path: &FsPath) -> bool {
    path.as_path().exists()
}

/// Returns what the library did since the last call of this function.
#[leakproof::function]
fn take_log() -> Vec<String> {
    ffi::log()
}

/// A library made for tests.
#[leakproof::module]
mod standin_safe {
    /// The number of numbers.
    #[pymodule_export]
    const NUMBERS: i32 = 4;

    #[pymodule_export]
    use super::{at_gate, close_gate, exists, open_gate, take_log};

    #[pymodule_export]
    use super::attached::{Gauge, Told};

    #[pymodule_export]
    use super::bases::{Album, Casket, Figure, Lease, Page, Ring};

    #[pymodule_export]
    use super::configs::Config;

    #[pymodule_export]
    use super::feeds::{Feed, dropped_locked, meddled};

    #[pymodule_export]
    use super::folders::{Binder, Clip, Folder, Paper};

    #[pymodule_export]
    use super::intakes::Intake;

    #[pymodule_export]
    use super::letters::Letter;

    #[pymodule_export]
    use super::lists::{Editor, List, Node, Place, SoleEditor};

    #[pymodule_export]
    use super::loaders::{
        Failure, GoneError, LoadError, Loader, NoFileError, NotMadeError, Origin, SlowError,
        fail_deep, fail_with, miss_file, raise_with_note,
    };

    #[pymodule_export]
    use super::measures::{Measure, Rod, Ruler};

    #[pymodule_export]
    use super::numbers::{Numeral, Tally};

    #[pymodule_export]
    use super::outlines::{Badge, Bookmark, Clasp, Heading, Outline, Topic};

    #[pymodule_export]
    use super::parcels::{Board, Bow, Keepsake, Label, Parcel, Ribbon, Tag};

    #[pymodule_export]
    use super::pictures::{Frame, Picture};

    #[pymodule_export]
    use super::players::{Player, Tune};

    #[pymodule_export]
    use super::ponds::{Boat, Fish, Harbor, Net, Pond, Roe, Seine, Trawl};

    #[pymodule_export]
    use super::quotes::{Motto, MottoError, Quote};

    #[pymodule_export]
    use super::rehearsals::{Beat, Rehearsed};

    #[pymodule_export]
    use super::search::{Finding, Search};

    #[pymodule_export]
    use super::sessions::{Cursor, Deal, Journal, Session, SessionError};

    #[pymodule_export]
    use super::shapes::{Container, Lid, Shape};

    #[pymodule_export]
    use super::store::{Item, ShelfError, Store, StoreError, SubItem};

    #[pymodule_export]
    use super::values::{
        Caption, Corner, Finish, Inscription, Marks, OpenFinish, OpenMarks, Pin, Point, Scribble,
        Segment, Sheet, Stamp, StrictFinish, StrictMarks, finish, marks_of_number, number_of_marks,
        number_of_open_marks, open_finish, strict_finish, strict_marks,
    };
}

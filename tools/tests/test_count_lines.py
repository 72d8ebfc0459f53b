"""The kinds of lines, and the C functions, that count_lines.py finds."""

from count_lines import count

SOURCE = """//! A module.

use leakproof::prelude::*;
use crate::{
    a,
    b,
};

/// A handle.
#[handle(
    raw = ffi::thing,
    release = ffi::thing_free
)]
pub(crate) struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::thing_new, fails = null)]
    fn new(name: &CStr) -> Result<Owned<Thing>>;

    #[calls(
        ffi::thing_open,
        args = (self, "]")
    )]
    fn open(
        &mut self,
        flags: c_int,
    ) -> Result<()>;

    #[field(size)]
    fn size(&self) -> c_int;

    /// Both.
    fn both(&self) -> c_int {
        match self.size() {
            0 => ']',
            n => n,
        }
    }
}
"""


def test_each_line_has_one_kind() -> None:
    counted = count(SOURCE)
    assert counted.lines == {
        "comments": 3,
        "blank": 6,
        "imports": 5,
        "annotations": 18,
        "bodies": 8,
    }
    assert sum(counted.lines.values()) == len(SOURCE.splitlines())


def test_functions_and_fields_are_those_of_annotations() -> None:
    counted = count(SOURCE)
    assert counted.called == {"thing_new", "thing_open"}
    assert counted.fields == 1

//! Enumerations and flags in Rust.

use std::ffi::c_int;

use leakproof::prelude::*;

use super::library as ffi;

#[int_flag(c_int)]
enum Marks {
    FINE = ffi::FINE,
    BOLD = ffi::BOLD,
    /// Both.
    BOTH = ffi::FINE | ffi::BOLD,
    LAST = ffi::LAST,
}

#[int_enum(c_int)]
enum Finish {
    MATTE = ffi::MATTE,
    GLOSS = ffi::GLOSS,
    SHINY = ffi::GLOSS,
}

#[test]
fn flags_are_printed_as_bitflags_prints_them() {
    for (flags, text) in [
        (Marks::empty(), "Marks(0x0)"),
        (Marks::FINE, "Marks(FINE)"),
        (Marks::FINE | Marks::BOLD, "Marks(FINE | BOLD)"),
        (Marks(2), "Marks(0x2)"),
        (Marks(2) | Marks::LAST, "Marks(LAST | 0x2)"),
    ] {
        assert_eq!(format!("{flags:?}"), text);
    }
}

#[test]
fn enumerations_are_printed_by_name() {
    assert_eq!(format!("{:?}", Finish::MATTE), "MATTE");
    assert_eq!(format!("{:?}", Finish::SHINY), "GLOSS");
    assert_eq!(format!("{:?}", Finish(-7)), "Finish(-7)");
    assert_eq!(Finish::GLOSS.name(), Some("GLOSS"));
    assert_eq!(Finish(7).name(), None);
}

#[test]
fn flags_have_the_methods_of_bitflags() {
    const ALL: Marks = Marks::all();
    assert_eq!(ALL.bits(), 5 | c_int::MIN);
    assert!(ALL.is_all() && !Marks::BOTH.is_all() && Marks(-1).is_all());
    assert!(Marks::empty().is_empty() && !Marks::FINE.is_empty());
    assert_eq!(Marks::from_bits(5), Some(Marks::BOTH));
    assert_eq!(Marks::from_bits(2), None);
    assert!(Marks::BOTH.contains(Marks::FINE) && !Marks::FINE.contains(Marks::BOTH));
    assert!(Marks::BOTH.intersects(Marks::FINE) && !Marks::FINE.intersects(Marks::BOLD));
    assert_eq!(!Marks::FINE, Marks::BOLD | Marks::LAST);
    assert_eq!(!Marks(2), ALL);
    assert_eq!(Marks::BOTH - Marks::FINE, Marks::BOLD);
    assert_eq!(Marks::BOTH ^ Marks::FINE, Marks::BOLD);
    assert_eq!(Marks::BOTH & Marks::FINE, Marks::FINE);
    let mut marks = Marks::empty();
    marks |= Marks::BOTH;
    marks.remove(Marks::FINE);
    assert_eq!(marks, Marks::BOLD);
    marks.insert(Marks::LAST);
    marks &= Marks::LAST;
    marks ^= Marks::BOTH;
    marks -= Marks::BOLD;
    assert_eq!(marks, Marks::LAST | Marks::FINE);
}

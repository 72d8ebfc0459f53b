//! `Entry` cannot be built from its fields.

use leakproof::python::{Entry, Mode};

leakproof::__site!(SITE, "Thing.go", "");

const SHARED: Entry = Entry {
    exclusive: Mode::Shared,
    ..Entry::new(&SITE, 0, false)
};

fn main() {
    let _ = SHARED;
}

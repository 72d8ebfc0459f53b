//! A promise about sharing in `Entry` is unsafe.

use leakproof::python::Entry;

leakproof::__site!(SITE, "Thing.go", "");

const READING: Entry = Entry::new(&SITE, 0, false).reading_parent();
const FOREIGN: Entry = Entry::new(&SITE, 0, false).with_foreign(2);

fn main() {
    let _ = (READING, FOREIGN);
}

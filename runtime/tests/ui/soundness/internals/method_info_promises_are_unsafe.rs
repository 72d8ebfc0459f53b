//! The functions of `MethodInfo` that promise something about sharing are unsafe.

use leakproof::__private::python::MethodInfo;

leakproof::__site!(SITE, "Thing.go", "");

const READING: MethodInfo = MethodInfo::new(&SITE, 0, false).reading_parent();
const FOREIGN: MethodInfo = MethodInfo::new(&SITE, 0, false).with_foreign(2);

fn main() {
    let _ = (READING, FOREIGN);
}

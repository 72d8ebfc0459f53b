//! `MethodInfo` cannot be built from its fields.

use leakproof::__private::python::{MethodInfo, Mode};

leakproof::__site!(SITE, "Thing.go", "");

const SHARED: MethodInfo = MethodInfo {
    exclusive: Mode::Shared,
    ..MethodInfo::new(&SITE, 0, false)
};

fn main() {
    let _ = SHARED;
}

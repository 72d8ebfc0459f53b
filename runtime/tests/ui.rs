//! Programs that must not compile, with the whole output of the compiler pinned beside each.
//!
//! Every mistake in an annotation has a message of leakproof, at the annotation, with the fix. A mistake that only rustc
//! can see is reported at the annotation too.
//!
//! `ui/` has a folder for each macro and subject. `ui/ffi/` holds the C declarations that cases share; it has no cases.
//! One case or one folder: `cargo test -p leakproof --test ui -- ui trybuild=handle/release`.
//! After a change of messages, write the output anew and read the difference:
//! `TRYBUILD=overwrite cargo test -p leakproof --test ui`.
//!
//! The output is pinned for one version of the compiler. With another version the test passes without compiling a case,
//! and writes a line that begins with `SKIPPED` to standard error, past the capture of the test harness.
#![cfg(feature = "python")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

const PINNED: &str = "rustc 1.95.";

#[test]
fn ui() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout);
    let cases = cases(Path::new("tests/ui"));
    if !version.starts_with(PINNED) {
        let skipped = cases.len();
        writeln!(
            std::io::stderr(),
            "SKIPPED: {skipped} compile-fail cases, pinned for {PINNED}x; this is {version}"
        )
        .unwrap();
        return;
    }
    let tests = trybuild::TestCases::new();
    cases.iter().for_each(|case| tests.compile_fail(case));
}

/// The cases below `folder`, in the order of their paths, without the shared declarations in `ui/ffi`.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| !path.ends_with("ui/ffi"))
        .collect();
    entries.sort();
    let nested = entries.into_iter().flat_map(|path| {
        if path.is_dir() {
            cases(&path)
        } else {
            vec![path]
        }
    });
    nested
        .filter(|path| path.extension().is_some_and(|name| name == "rs"))
        .collect()
}

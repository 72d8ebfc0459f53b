//! Programs that must not compile, with the whole output of the compiler pinned beside each.
//!
//! Every mistake in an annotation has a message of leakproof, at the annotation, with the fix. A mistake that only
//! rustc can see is reported at the annotation too.
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

#[test]
fn each_case_says_its_rule_and_has_its_output_beside_it() {
    for case in cases(Path::new("tests/ui")) {
        let name = case.display();
        let text = fs::read_to_string(&case).unwrap();
        assert!(text.starts_with("//! "), "{name}: add a header, the rule");
        let output = case.with_extension("stderr");
        assert!(output.exists(), "{name}: pin the output");
        let folder = case.parent().unwrap();
        assert!(!folder.ends_with("ui"), "{name}: put it into a folder");
    }
}

#[test]
fn each_pinned_output_has_its_case_beside_it() {
    for output in files(Path::new("tests/ui"), "stderr") {
        let case = output.with_extension("rs");
        assert!(case.exists(), "{}: remove it", output.display());
    }
}

/// The cases below `folder`, in the order of their paths, without the shared declarations in `ui/ffi`.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut cases = files(folder, "rs");
    cases.retain(|case| !case.starts_with("tests/ui/ffi"));
    cases
}

/// The files below `folder` with this extension, in the order of their paths.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|name| name == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

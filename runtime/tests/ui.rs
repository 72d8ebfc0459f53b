//! Every mistake in an annotation has a message of ours, at the word, with the fix; what only rustc sees is at the word.
//!
//! The whole output is pinned, for one version of the compiler. After a change of messages, write it anew and read it:
//! `TRYBUILD=overwrite cargo test -p leakproof --test ui`.
#![cfg(feature = "python")]

use std::process::Command;

const PINNED: &str = "rustc 1.95.";

#[test]
fn ui() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let version = String::from_utf8_lossy(&version.stdout);
    if !version.starts_with(PINNED) {
        println!("skipped: the messages are pinned for {PINNED}x, this is {version}");
        return;
    }
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
}

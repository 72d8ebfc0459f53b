//! Writes the comments of a C header, as `leakproof::build` does for a library that has one.

use std::path::PathBuf;
use std::{env, fs};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let folder = out.join("leakproof-comments");
    fs::create_dir_all(&folder).expect("a folder for the comments");
    let comments = [
        (
            "open_finish",
            "A finish, of a library that gets new ones often.",
        ),
        ("MATTE", "Without gloss."),
        ("GLOSS", "With gloss.\n\nIt reflects <light>."),
    ];
    for (name, comment) in comments {
        fs::write(folder.join(name), comment).expect("a file for a comment");
    }
}

//! Makes bindings of a function that only a header has, and of a library that is an archive without `pkg-config`.

use std::path::PathBuf;

fn main() {
    lp::build::Library::system()
        .headers(&["byteswap.h"])
        .allowlist_item("__bswap_32")
        .write("byteswap.rs");

    let archive = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("lib");
    cc::Build::new()
        .file("trunk.c")
        .out_dir(&archive)
        .cargo_metadata(false)
        .compile("trunk");
    println!("cargo::rerun-if-changed=trunk.c");
    lp::build::Library::system()
        .include(env!("CARGO_MANIFEST_DIR"))
        .headers(&["trunk.h"])
        .trim_prefix("trunk_")
        .link_search(archive)
        .link_static("trunk")
        .write("trunk.rs");
}

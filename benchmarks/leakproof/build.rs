//! Compiles the trivial C library, and makes its raw bindings.

fn main() {
    leakproof::build::Library::system()
        .headers(&[concat!(env!("CARGO_MANIFEST_DIR"), "/../counter/counter.h")])
        .allowlist_item("(counter|dial).*")
        .write("counter.rs");
    println!("cargo::rerun-if-changed=../counter/counter.c");
    cc::Build::new()
        .file("../counter/counter.c")
        .opt_level(2)
        .compile("counter");
}

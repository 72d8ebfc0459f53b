//! Compiles the trivial C library.

fn main() {
    println!("cargo::rerun-if-changed=../counter");
    cc::Build::new()
        .file("../counter/counter.c")
        .opt_level(2)
        .compile("counter");
}

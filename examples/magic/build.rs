//! Makes the raw bindings of the installed libmagic.

fn main() {
    leakproof::build::Library::new("libmagic")
        .debian("libmagic-dev")
        .headers(&["magic.h"])
        .allowlist_item("magic_.*|MAGIC_.*")
        .write("magic.rs");
}

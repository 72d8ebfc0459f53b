//! Makes the raw bindings of the installed Expat.

fn main() {
    leakproof::build::Library::new("expat")
        .debian("libexpat1-dev")
        .headers(&["expat.h"])
        .allowlist_item("XML_.*")
        .write("expat.rs");
}

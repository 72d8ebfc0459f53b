//! Makes the raw bindings of the installed Expat.

fn main() {
    leakproof::build::Library::new("expat")
        .debian("libexpat1-dev")
        .headers(&["expat.h"])
        .allow("XML_.*")
        .write("expat.rs");
}

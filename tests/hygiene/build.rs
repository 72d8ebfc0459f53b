//! Makes bindings of a function that only a header has.

fn main() {
    lp::build::Library::system()
        .headers(&["byteswap.h"])
        .allowlist_item("__bswap_32")
        .write("byteswap.rs");
}

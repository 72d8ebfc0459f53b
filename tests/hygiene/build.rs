//! Makes bindings of a function that only a header has.

fn main() {
    lp::build::Library::of_system()
        .headers(&["byteswap.h"])
        .allow("__bswap_32")
        .write("byteswap.rs");
}

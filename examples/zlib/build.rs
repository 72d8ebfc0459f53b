//! Makes the raw bindings of the installed zlib.

fn main() {
    leakproof::build::Library::new("zlib")
        .debian("zlib1g-dev")
        .headers(&["zlib.h"])
        .allowlist_item("(in|de)flate.*|z_stream.*|Z_.*|ZLIB_VERSION|zlibVersion|zError")
        .write("zlib.rs");
}

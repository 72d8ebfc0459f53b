//! Makes the raw bindings of the installed Jansson.

fn main() {
    leakproof::build::Library::new("jansson")
        .debian("libjansson-dev")
        .headers(&["jansson.h", concat!(env!("CARGO_MANIFEST_DIR"), "/shim.h")])
        .allowlist_item("json_.*|JSON_.*|shim_.*|free")
        .write("jansson.rs");
}

//! Makes the raw bindings of the installed libcurl.

fn main() {
    leakproof::build::Library::new("libcurl")
        .debian("libcurl4-openssl-dev")
        .headers(&[
            "curl/curl.h",
            concat!(env!("CARGO_MANIFEST_DIR"), "/shim.h"),
        ])
        .allowlist_item("curl_.*|CURL.*|shim_.*")
        .write("curl.rs");
}

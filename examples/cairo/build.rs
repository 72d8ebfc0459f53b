//! Makes the raw bindings of the installed cairo.

fn main() {
    leakproof::build::Library::new("cairo-svg")
        .debian("libcairo2-dev")
        .headers(&["cairo.h", "cairo-svg.h"])
        .allowlist_item("_?cairo_.*|CAIRO_.*")
        .write("cairo.rs");
}

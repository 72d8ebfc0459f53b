//! Makes the raw bindings of Linux' inotify, which is in the C library.

fn main() {
    leakproof::build::Library::system()
        .headers(&["sys/inotify.h", "unistd.h"])
        .allowlist_item("inotify_.*|IN_.*|read|close")
        .write("inotify.rs");
}

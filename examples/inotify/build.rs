//! Makes the raw bindings of Linux' inotify, which is in the C library.

fn main() {
    leakproof::build::Library::of_system()
        .headers(&["sys/inotify.h", "unistd.h"])
        .allow("inotify_.*|IN_.*|read|close")
        .write("inotify.rs");
}

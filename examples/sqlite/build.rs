//! Makes the raw bindings of the installed SQLite.

fn main() {
    leakproof::build::Library::new("sqlite3")
        .debian("libsqlite3-dev")
        .headers(&["sqlite3.h"])
        .parse_all_comments()
        .allowlist_item("sqlite3_.*|SQLITE_.*")
        .write("sqlite.rs");
}

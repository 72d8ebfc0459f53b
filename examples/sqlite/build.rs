//! Makes the raw bindings of the installed SQLite.

fn main() {
    leakproof::build::Library::new("sqlite3")
        .debian("libsqlite3-dev")
        .headers(&["sqlite3.h"])
        .plain_comments()
        .allow("sqlite3_.*|SQLITE_.*")
        .write("sqlite.rs");
}

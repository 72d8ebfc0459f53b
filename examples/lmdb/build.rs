//! Makes the raw bindings of the installed LMDB.

fn main() {
    leakproof::build::Library::new("lmdb")
        .debian("liblmdb-dev")
        .headers(&["lmdb.h"])
        .allowlist_item("mdb_.*|MDB_.*")
        .write("lmdb.rs");
}

//! `gives_back` is not for handles whose owners C counts.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Page, retain = ffi::page_ref, release = ffi::page_free, independent)]
pub struct Page;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_ref, gives_back)]
    fn same(&self) -> Option<Owned<Page>>;
}

fn main() {}

//! `gives_back` is for owned results that C had before.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Page, retain = ffi::page_ref, release = ffi::page_free, independent)]
pub struct Page;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_ref, gives_back)]
    fn first(&self) -> Option<Borrowed<Page>>;

    #[calls(ffi::page_ref, retain, gives_back)]
    fn next(&self) -> Option<Owned<Page>>;

    #[calls(ffi::page_ref, gives_back = true)]
    fn last(&self) -> Option<Owned<Page>>;
}

fn main() {}

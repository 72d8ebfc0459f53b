//! A field gets a part only where Rust code says how long that lives, and a part that C's functions do not move.

use leakproof::prelude::*;

#[allow(non_camel_case_types, clippy::undocumented_unsafe_blocks)]
mod ffi {
    pub struct shelf;
    pub struct book {
        pub next: *mut book,
        pub shelf: *mut shelf,
    }
    pub unsafe extern "C" fn shelf_free(_: *mut shelf) {}
}

#[handle(raw = ffi::shelf, release = ffi::shelf_free)]
pub struct Shelf;

#[handle(raw = ffi::book, part_of = Shelf)]
pub struct Book;

#[methods(unsafe)]
impl Book {
    #[field(next)]
    fn set_next(&mut self, next: Option<&Book>);
}

fn main() {}

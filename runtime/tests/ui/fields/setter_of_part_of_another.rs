//! A field of a part gets a part of the same type of owner.

use leakproof::prelude::*;

#[allow(non_camel_case_types, clippy::undocumented_unsafe_blocks)]
mod ffi {
    pub struct shelf;
    pub struct desk;
    pub struct book {
        pub lamp: *mut lamp,
    }
    pub struct lamp;
    pub unsafe extern "C" fn shelf_free(_: *mut shelf) {}
    pub unsafe extern "C" fn desk_free(_: *mut desk) {}
}

#[handle(raw = ffi::shelf, release = ffi::shelf_free)]
pub struct Shelf;

#[handle(raw = ffi::desk, release = ffi::desk_free)]
pub struct Desk;

#[handle(raw = ffi::book, part_of = Shelf)]
pub struct Book;

#[handle(raw = ffi::lamp, part_of = Desk)]
pub struct Lamp;

#[methods(unsafe, rust_only)]
impl Book {
    #[field(lamp)]
    fn set_lamp(&mut self, lamp: &Lamp);
}

fn main() {}

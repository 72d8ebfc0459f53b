//! A partial record is no argument of a C function.

use leakproof::prelude::*;

mod ffi {
    #[derive(Clone, Copy)]
    pub struct Entry {
        pub size: i32,
        pub name: *const u8,
    }

    impl Default for Entry {
        fn default() -> Self {
            Entry {
                size: 0,
                name: std::ptr::null(),
            }
        }
    }

    pub struct Table;

    pub unsafe extern "C" fn table_free(_: *mut Table) {}

    pub unsafe extern "C" fn table_add(_: *mut Table, _: *const Entry) {}
}

#[record(ffi::Entry, partial)]
pub struct Entry {
    pub size: i32,
}

#[handle(raw = ffi::Table, release = ffi::table_free)]
pub struct Table;

#[methods(unsafe)]
impl Table {
    #[calls(ffi::table_add)]
    fn add(&mut self, entry: &Entry);
}

fn main() {}

//! `mut_parent` below a handle with `lends` is declared on every handle in between.

use leakproof::prelude::*;

mod ffi {
    pub struct Store;
    pub struct Turn;
    pub struct Cursor;
    pub unsafe extern "C" fn store_free(_: *mut Store) {}
    pub unsafe extern "C" fn turn_free(_: *mut Turn) {}
    pub unsafe extern "C" fn cursor_free(_: *mut Cursor) {}
    pub unsafe extern "C" fn cursor_new(_: *mut Turn) -> *mut Cursor {
        std::ptr::null_mut()
    }
}

#[handle(raw = ffi::Store, release = ffi::store_free, lends)]
pub struct Store;

#[handle(raw = ffi::Turn, release = ffi::turn_free, parent = Store, reads_parent)]
pub struct Turn;

#[handle(raw = ffi::Cursor, release = ffi::cursor_free, parent = Turn, mut_parent)]
pub struct Cursor;

#[methods(unsafe, rust_only)]
impl Turn {
    #[calls(ffi::cursor_new, fails = null)]
    fn cursor(&mut self) -> Result<Owned<Cursor>>;
}

fn main() {}

//! The text of a record is an array of characters.

use leakproof::prelude::*;

mod ffi {
    #[derive(Clone, Copy)]
    pub struct Entry {
        pub name: *const i8,
    }

    impl Default for Entry {
        fn default() -> Self {
            Entry {
                name: std::ptr::null(),
            }
        }
    }
}

#[record(ffi::Entry, partial)]
pub struct Entry {
    pub name: String,
}

fn main() {}

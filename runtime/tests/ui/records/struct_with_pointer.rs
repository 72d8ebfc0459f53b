//! The C struct of a record holds no pointers.

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
}

#[record(ffi::Entry)]
pub struct Entry {
    pub size: i32,
}

fn main() {}

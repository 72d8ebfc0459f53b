//! A field of a record has a name that Python can have as an attribute.

use leakproof::prelude::*;

mod ffi {
    #[derive(Clone, Copy, Default)]
    pub struct Segment {
        pub from: i32,
        pub to: i32,
    }
}

#[record(ffi::Segment)]
pub struct Segment {
    pub from: i32,
    pub to: i32,
}

fn main() {}

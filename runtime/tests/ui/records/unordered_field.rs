//! The fields of an ordered record are ordered.

use leakproof::prelude::*;

mod ffi {
    #[derive(Clone, Copy, Default)]
    pub struct Point {
        pub x: i32,
    }

    #[derive(Clone, Copy, Default)]
    pub struct Segment {
        pub start: Point,
    }
}

#[record(ffi::Point)]
pub struct Point {
    pub x: i32,
}

#[record(ffi::Segment, ord)]
pub struct Segment {
    pub start: Point,
}

fn main() {}

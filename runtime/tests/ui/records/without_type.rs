//! `#[record]` names C's struct.

use leakproof::prelude::*;

#[record]
pub struct Point {
    pub x: i32,
}

fn main() {}

//! `IntoPython` is derived for enums.

use leakproof::prelude::*;

#[derive(IntoPython)]
pub struct Pair {
    pub left: i32,
}

fn main() {}

//! `boundary` is `keep` or `strict`.

use leakproof::prelude::*;

#[int_flag(i32, boundary = conform)]
pub enum Marks {
    FINE = 1,
}

#[int_enum(i32, boundary = open)]
pub enum Color {
    RED = 1,
}

fn main() {}

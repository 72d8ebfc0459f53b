//! `boundary` is `keep`, and only for `#[int_flag]`.

use leakproof::prelude::*;

#[int_flag(i32, boundary = strict)]
pub enum Marks {
    FINE = 1,
}

#[int_enum(i32, boundary = keep)]
pub enum Color {
    RED = 1,
}

fn main() {}

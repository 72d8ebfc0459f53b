//! `#[int_flag]` lists C's constants.

use leakproof::prelude::*;

#[int_flag(i32)]
pub enum Color {}

fn main() {}

//! `#[int_flag]` is for enums.

use leakproof::prelude::*;

#[int_flag(i32)]
pub struct Color;

fn main() {}

//! `#[int_enum]` is for enums.

use leakproof::prelude::*;

#[int_enum(i32)]
pub struct Color;

fn main() {}

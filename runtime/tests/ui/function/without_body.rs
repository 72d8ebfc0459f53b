//! A `#[function]` has a body.

use leakproof::prelude::*;

#[function]
fn size() -> i32;

fn main() {}

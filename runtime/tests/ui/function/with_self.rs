//! A `#[function]` has no receiver.

use leakproof::prelude::*;

#[function]
fn size(&self) -> i32 {
    1
}

fn main() {}

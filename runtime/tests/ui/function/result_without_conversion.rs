//! The result of a `#[function]` has a conversion to Python.

use leakproof::prelude::*;

#[function]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}

fn main() {}

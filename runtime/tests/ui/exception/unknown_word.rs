//! `#[exception]` accepts only the listed words.

use leakproof::prelude::*;

#[exception(base = ValueError)]
pub struct MyError {
    pub message: String,
}

fn main() {}

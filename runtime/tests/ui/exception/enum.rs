//! An exception is a struct.

use leakproof::prelude::*;

#[exception]
pub enum MyError {
    One,
}

fn main() {}

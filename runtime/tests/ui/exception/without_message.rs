//! An exception has a field `message`.

use leakproof::prelude::*;

#[exception]
pub struct MyError {
    pub code: i32,
}

fn main() {}

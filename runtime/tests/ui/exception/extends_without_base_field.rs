//! An exception with `extends` has a field `base`.

use leakproof::prelude::*;

#[exception]
pub struct Base {
    pub message: String,
}

#[exception(extends = Base)]
pub struct Special {
    pub message: String,
}

fn main() {}

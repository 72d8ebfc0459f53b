//! Every variant of a derived `IntoPython` holds one value.

use leakproof::prelude::*;

#[derive(IntoPython)]
pub enum Either {
    Number(i32),
    Nothing,
}

fn main() {}

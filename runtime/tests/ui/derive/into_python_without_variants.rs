//! An enum with a derived `IntoPython` has variants.

use leakproof::prelude::*;

#[derive(IntoPython)]
pub enum Never {}

fn main() {}

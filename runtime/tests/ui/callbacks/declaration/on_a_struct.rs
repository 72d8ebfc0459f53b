//! `#[callbacks]` is for `impl` blocks.

use leakproof::prelude::*;

#[callbacks(unsafe)]
pub struct Ring;

fn main() {}

//! The value of every variant has a conversion to Python.

use leakproof::prelude::*;

#[derive(IntoPython)]
pub enum Either {
    Number(i32),
    Time(std::time::Instant),
}

fn main() {}

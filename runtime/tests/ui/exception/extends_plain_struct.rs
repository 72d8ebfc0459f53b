//! `extends` names an exception.

use leakproof::prelude::*;

pub struct Base;

impl std::fmt::Display for Base {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        Ok(())
    }
}

#[exception(extends = Base)]
pub struct Special {
    pub base: Base,
}

fn main() {}

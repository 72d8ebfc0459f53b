//! `#[module]` accepts only the listed words.

#[leakproof::module(name = "other")]
mod my_module {}

fn main() {}

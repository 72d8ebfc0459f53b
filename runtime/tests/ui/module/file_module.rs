//! The items of the extension module stand in braces.

#[leakproof::module]
mod my_module;

fn main() {}

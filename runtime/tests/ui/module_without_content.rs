#[leakproof::module]
mod my_module;

fn main() {}

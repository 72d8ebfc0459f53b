#[leakproof::module(name = "other")]
mod my_module {}

fn main() {}

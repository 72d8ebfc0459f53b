//! `Attachment` is derived for structs and enums.

use leakproof::prelude::*;

#[derive(Attachment)]
union Ring {
    a: i32,
}

fn main() {}

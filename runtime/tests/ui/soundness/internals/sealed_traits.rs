//! A trait that only the runtime implements is sealed.

#![allow(non_camel_case_types, unused)]

use leakproof::fails::{Negative, Nonzero, Null};
use leakproof::handle::{Number, Parent};

#[derive(Clone, Copy)]
struct Liar;

impl Number for Liar {
    fn widen(self) -> u64 {
        0
    }
    fn narrow(_: u64) -> Self {
        Liar
    }
}
impl Null for Liar {
    fn failed(self) -> bool {
        false
    }
}
impl Nonzero for Liar {
    fn failed(self) -> bool {
        false
    }
}
impl Negative for Liar {
    fn failed(self) -> bool {
        false
    }
}
impl Parent for Liar {
    const LINEAGE: Option<&'static leakproof::handle::Lineage> = None;
    fn kind() -> Option<&'static leakproof::ledger::Kind> {
        None
    }
}

fn main() {}

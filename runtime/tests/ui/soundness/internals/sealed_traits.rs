//! A trait that only the runtime implements is sealed.

#![allow(non_camel_case_types, unused)]

use leakproof::__private::status::{Negative, Nonzero, Null};
use leakproof::__private::handle::{Number, Parent};

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
    const SPEC: Option<&'static leakproof::__private::handle::HandleSpec> = None;
    fn kind() -> Option<&'static leakproof::__private::kind::HandleKind> {
        None
    }
}

fn main() {}

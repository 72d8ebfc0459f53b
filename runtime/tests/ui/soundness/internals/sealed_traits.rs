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

impl leakproof::__private::shape::WrittenAsHandle for Liar {}

mod names {
    pub struct str;
}
impl leakproof::__private::to_c::IntoCString for &names::str {
    fn into_c_string(self, _: &'static str) -> leakproof::Result<Option<leakproof::__private::to_c::CallString>> {
        Ok(None)
    }
}

#[derive(leakproof::Attachment)]
struct State;
#[leakproof::callbacks(unsafe)]
impl State {
    #[callback(unsafe extern "C" fn(*mut std::ffi::c_void), args = (data))]
    fn call(&self) {}
}
impl leakproof::__private::callback::IntoState for Liar {
    type State = State;
    fn into_state(self) -> Option<State> {
        None
    }
}

fn main() {}

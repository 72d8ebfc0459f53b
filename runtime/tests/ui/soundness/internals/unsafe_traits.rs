//! A trait that unsafe code relies on is an unsafe trait.

#![allow(non_camel_case_types, unused)]

use leakproof::__private::callback::{OutStart, WrittenCount};
use leakproof::__private::handle::{PointerHandle, HasAttachments, IntegerHandle};
use leakproof::__private::to_c::{IntoC, Memory};
use leakproof::__private::out_param::{ByValue, Storage};
use leakproof::__private::lifetime::{LivesBeside, MadeBy, NotKept};
use leakproof::prelude::*;
use leakproof::__private::from_c::{
    CopyOfC, Count, EndsArray, FromText, Plain, PointedAt, Start, TextField,
};

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = (), part_of = Thing)]
pub struct Number;

#[handle(caller_allocates = ffi::Thing, release = ffi::thing_free)]
pub struct Place;

#[derive(Clone, Copy)]
struct Liar;

impl IntegerHandle for Number {
    type Number = usize;
    const INVALID: usize = 0;
}
impl HasAttachments for Number {}
impl PointerHandle for Place {}
impl MadeBy<Liar> for Liar {}
impl LivesBeside<()> for Liar {}
impl NotKept for Liar {}
impl Memory for Liar {
    fn start(&self) -> *const u8 {
        std::ptr::without_provenance(16)
    }
    fn count(&self) -> usize {
        99
    }
}
impl IntoC<*const u8> for Liar {
    fn into_c(self) -> *const u8 {
        std::ptr::without_provenance(16)
    }
}
impl PointedAt<Liar> for Thing {
    fn pointer(_: Liar) -> *mut ffi::Thing {
        std::ptr::without_provenance_mut(16)
    }
}
impl Plain for Liar {}
impl ByValue for Liar {}
impl Storage<u8> for Liar {
    fn zeroed() -> Self {
        Liar
    }
    fn pointer(&mut self) -> *mut u8 {
        std::ptr::without_provenance_mut(16)
    }
}
impl Start for Liar {
    type Element = u8;
    fn start(self) -> *const u8 {
        std::ptr::without_provenance(16)
    }
}
impl Count for Liar {
    fn count(self) -> usize {
        99
    }
    fn try_count(self) -> Option<usize> {
        Some(99)
    }
}
impl OutStart for Liar {
    fn start(self) -> *mut u8 {
        std::ptr::without_provenance_mut(16)
    }
}
impl WrittenCount for Liar {
    fn of(_: usize) -> Option<Self> {
        Some(Liar)
    }
}
impl EndsArray for Liar {
    fn ends_array(self) -> bool {
        false
    }
}
impl CopyOfC for Liar {
    type Of = String;
    type Proof = ();
    type Undecoded = ();
    unsafe fn copy(_: &[u8]) -> Option<()> {
        Some(())
    }
    fn decode((): (), _: &'static str) -> Result<Self> {
        Ok(Liar)
    }
    fn decode_lossy((): ()) -> Self {
        Liar
    }
}
impl FromText for Liar {
    unsafe fn from_text(_: &[u8]) -> Option<Self> {
        Some(Liar)
    }
}
impl TextField for Liar {
    unsafe fn bytes<'a>(_: *const Self) -> Option<&'a [u8]> {
        Some(b"")
    }
}

fn main() {}

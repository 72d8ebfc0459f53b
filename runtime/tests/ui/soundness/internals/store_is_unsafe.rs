//! `store`, which stores a callback state, is unsafe.

#![allow(non_camel_case_types, unused)]

use leakproof::__private::attachment::Scope;
use leakproof::__private::callback::store;
use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_int, c_void};
    pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub struct bell;
    pub unsafe extern "C" fn bell_free(_: *mut bell) {}
}

#[handle(raw = ffi::bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[derive(Attachment)]
pub struct Ring;

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::ring, args = (number, data), on_error = -1)]
    fn ring(&self, number: i32) -> i32 {
        number
    }
}

fn take_the_place_of_another(bell: &Bell) {
    store(bell, Scope::UntilReplaced("on.first"), Ring);
}

fn main() {}

//! `out` is no word of a callback.

use std::ffi::{c_char, c_int, c_void};

use leakproof::prelude::*;

type RingFn = Option<unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_int) -> c_int>;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(RingFn, args = (data, _, out))]
    fn ring(&self) -> i32 {
        0
    }
}

fn main() {}

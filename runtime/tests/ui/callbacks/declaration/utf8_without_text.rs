//! `utf8` requires a `String`.

use std::ffi::{c_char, c_int, c_void};

use leakproof::prelude::*;

type RingFn = Option<unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_int) -> c_int>;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(RingFn, args = (data, text, _), utf8 = lossy)]
    fn ring(&self, text: CString) -> i32 {
        let _ = text;
        0
    }
}

fn main() {}

//! An array can end with NULL or 0 only.

use std::ffi::{c_char, c_int, c_void};

use leakproof::prelude::*;

type RingFn = Option<unsafe extern "C" fn(*mut c_void, *const c_char, *mut c_int) -> c_int>;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(RingFn, args = (data, _, numbers.ptr), until = zero)]
    fn ring(&self, numbers: Vec<i32>) -> i32 {
        let _ = numbers;
        0
    }
}

fn main() {}

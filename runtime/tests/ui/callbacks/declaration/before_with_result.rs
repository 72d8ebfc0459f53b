//! A callback with `before` returns `()` or `Result<()>`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_int, c_void};

    pub type Visit = Option<unsafe extern "C" fn(*mut c_void, c_int) -> c_int>;
    pub unsafe extern "C" fn default_visit(_: *mut c_void, number: c_int) -> c_int {
        number
    }
}

struct Visitor;

impl Attachment for Visitor {}

#[callbacks(unsafe)]
impl Visitor {
    #[callback(ffi::Visit, args = (data, number), before = ffi::default_visit)]
    fn visit(&self, number: i32) -> i32 {
        number + 1
    }
}

fn main() {}

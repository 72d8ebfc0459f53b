//! The value of every variant has a conversion to Python.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[derive(IntoPython)]
pub enum Either {
    Number(i32),
    Time(std::time::Instant),
}

fn main() {}

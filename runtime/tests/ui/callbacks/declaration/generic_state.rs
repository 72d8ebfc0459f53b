//! The state of a callback is one type: the block has no type parameters and no lifetimes.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

pub struct Queue<T>(Vec<T>);

#[callbacks(unsafe)]
impl<T> Queue<T> {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        time
    }
}

pub struct Line<'a>(&'a str);

#[callbacks(unsafe)]
impl<'a> Line<'a> {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        time
    }
}

fn main() {}

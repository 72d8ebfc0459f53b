//! A callback is a plain `fn`: not `async`, `const`, `unsafe`, `extern` or generic.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    async fn later(&self, time: i32) -> i32 {
        time
    }

    #[callback(ffi::RingFn, args = (time, data))]
    const fn constant(&self, time: i32) -> i32 {
        time
    }

    #[callback(ffi::RingFn, args = (time, data))]
    unsafe fn unchecked(&self, time: i32) -> i32 {
        time
    }

    #[callback(ffi::RingFn, args = (time, data))]
    extern "C" fn foreign(&self, time: i32) -> i32 {
        time
    }

    #[callback(ffi::RingFn, args = (time, data))]
    fn generic<T: Into<i32>>(&self, time: i32) -> i32 {
        time
    }

    #[callback(ffi::RingFn, args = (time, data))]
    fn opaque(&self, time: impl Into<i32>) -> i32 {
        time.into()
    }
}

fn main() {}

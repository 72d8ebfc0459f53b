//! An `OutBuffer` cannot be kept, made, or moved to another thread.

use std::cell::RefCell;
use std::ffi::c_void;

use leakproof::prelude::*;

pub type ReadFn = unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize;

#[derive(Attachment)]
pub struct Source;

thread_local! {
    static KEPT: RefCell<Vec<OutBuffer<'static>>> = const { RefCell::new(Vec::new()) };
}

fn is_send<T: Send>(_: T) {}

#[callbacks(unsafe)]
impl Source {
    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn keep(&self, buffer: OutBuffer<'_>) {
        KEPT.with_borrow_mut(|kept| kept.push(buffer));
    }

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn send(&self, buffer: OutBuffer<'_>) {
        is_send(buffer);
    }

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn keep_the_rest(&self, mut buffer: OutBuffer<'_>) -> usize {
        let rest = buffer.unwritten();
        buffer.put(b"a").unwrap();
        rest.len()
    }

    #[callback(ReadFn, args = (buffer.ptr, buffer.len, data))]
    fn copy(&self, buffer: OutBuffer<'_>) {
        let other = buffer.clone();
        let start = buffer.0.start;
    }
}

fn main() {}

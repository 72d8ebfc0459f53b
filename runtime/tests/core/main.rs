//! The ownership core as a Rust user meets it, on a C library written in Rust. No test here needs Python.
//!
//! It passes with and without the feature `python`. `tools/sanitize.sh rust` runs it without that under
//! AddressSanitizer and Miri, which see every use of what was freed.
//!
//! Provenance is permissive because a `&Handle` is zero-sized: its pointer is exposed when the reference is made and
//! taken back from there.

mod arguments;
mod arrays;
mod buffer_results;
mod buffers;
mod c_types;
mod callbacks;
mod constants;
mod details;
mod failing;
mod filling;
mod functions;
mod kept_handles;
mod lengths;
#[path = "../library/mod.rs"]
mod library;
mod locks;
mod many_arguments;
mod names;
mod ownership;
#[cfg(feature = "python")]
mod preludes;
mod records;
mod release;
mod results;
mod text;
mod thread_callbacks;
mod trees;
mod views;
mod wrapper;

use std::panic::{AssertUnwindSafe, catch_unwind};

use leakproof::prelude::*;
use wrapper::{Store, StoreError, ffi, hooks};

fn open() -> Owned<'static, Store> {
    let store = Store::open(Some(c"s")).unwrap();
    ffi::log();
    hooks();
    store
}

/// Returns the message that `call` panicked with.
fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("it should have panicked");
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .unwrap(),
    }
}

fn message_of<T>(result: Result<T>) -> String {
    let error = result.map(drop).unwrap_err();
    error.library::<StoreError>().unwrap().message.clone()
}

//! The value in `thread_locals` is a constant: code would run when the call uses its handles already.

#[path = "../../ffi/thing.rs"]
mod ffi;

use leakproof::handle;

fn strictness() -> i32 {
    1
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, thread_locals(ffi::strict = strictness()))]
struct Thing;

fn main() {}

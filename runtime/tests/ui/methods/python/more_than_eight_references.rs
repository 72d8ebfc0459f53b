//! A method of a Python class takes at most 8 reference parameters.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn join(&self, a: &str, b: &str, c: &str, d: &str, e: &str, f: &str, g: &str, h: &str, i: &str) -> usize {
        a.len() + b.len() + c.len() + d.len() + e.len() + f.len() + g.len() + h.len() + i.len()
    }

    #[rust_only]
    fn among_us(&self, a: &str, b: &str, c: &str, d: &str, e: &str, f: &str, g: &str, h: &str, i: &str) -> usize {
        self.join(a, b, c, d, e, f, g, h, i)
    }
}

fn main() {}

//! Memory that C passes to a callback requires its length.

use leakproof::prelude::*;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(unsafe extern "C" fn(*const u8, *mut std::ffi::c_void) -> i32, args = (text.ptr, data))]
    fn ring(&self, text: String) -> i32 {
        0
    }
}

fn main() {}

//! Text that a callback takes by reference: the messages name the types that the author writes instead.

use std::ffi::{CStr, c_char, c_void};

use leakproof::prelude::*;

type Say = unsafe extern "C" fn(*const c_char, *mut c_void);

#[derive(Attachment)]
struct Speaker;

#[callbacks(unsafe)]
impl Speaker {
    #[callback(Say, args = (text, data))]
    fn say(&self, text: Option<&CStr>) {
        drop(text);
    }

    #[callback(Say, args = (text, data))]
    fn tell(&self, text: &str) {
        drop(text.len());
    }
}

fn main() {}

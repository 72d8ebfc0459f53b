//! Callbacks with as many arguments as there may be.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::prelude::*;

use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::bell, release = ffi::bell_free)]
struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(ffi::bell_chime, args = (self, chime.hear, chime.data))]
    fn chime(&self, chime: &Chime) -> c_int;
}

#[derive(Default, Attachment)]
struct Chime {
    heard: Mutex<Vec<c_int>>,
}

#[callbacks(unsafe)]
impl Chime {
    #[callback(
        ffi::chime,
        args = (first, _, _, _, _, _, _, _, _, _, _, _, _, before, last, data),
        on_error = -1
    )]
    fn hear(&self, first: c_int, before: c_int, last: c_int) -> c_int {
        self.heard.lock().unwrap().extend([first, before, last]);
        7
    }
}

#[test]
fn callback_takes_sixteen_arguments() {
    let _library = Library::start();
    let chime = Chime::default();
    assert_eq!(Bell::new().unwrap().chime(&chime), 7);
    assert_eq!(*chime.heard.lock().unwrap(), [1, 14, 15]);
}

//! A callback in `fields` is passed by `&`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_int, c_void};

    pub type Visit = Option<unsafe extern "C" fn(*mut c_void, c_int) -> c_int>;
    pub struct Raw {
        pub visit: Visit,
        pub user: *mut c_void,
    }
    pub unsafe extern "C" fn thing_free(_: *mut Raw) {}
    pub unsafe extern "C" fn thing_read(_: *mut Raw) {}
}

struct Visitor;

impl Attachment for Visitor {}

#[callbacks(unsafe)]
impl Visitor {
    #[callback(ffi::Visit, args = (data, number))]
    fn visit(&self, number: i32) -> i32 {
        number + 1
    }
}

#[handle(raw = ffi::Raw, release = ffi::thing_free, attachments)]
struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_read, args = (self), fields(visit = visitor.visit, user = visitor.data), scope = handle)]
    fn read(&mut self, visitor: Visitor);
}

fn main() {}

//! Each step of a length is checked for overflow, so none stands where the macro does not see it.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;

    pub struct Thing {
        pub bytes: *const u8,
    }

    #[allow(non_camel_case_types)]
    pub type write_t = Option<unsafe extern "C" fn(*mut c_void, *const u8, u32)>;

    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}

    pub unsafe extern "C" fn thing_memory(_: *const Thing, _: *mut u32) -> *const u8 {
        std::ptr::null()
    }

    pub unsafe extern "C" fn row(_: u32) -> u32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_memory, args = (self, len), len = |n| (n - 1).min(4))]
    fn receiver(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| ffi::row(n * 2))]
    fn argument(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| { let rest = n - 1; rest })]
    fn variable(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |mut n| { n -= 1; n })]
    fn statement(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| if n - 1 > 4 { 4 } else { n })]
    fn condition(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| match n { n if n - 1 > 4 => 4, n => n })]
    fn guard(&self) -> Option<Bytes>;

    #[field(bytes, len = |_| i32::from(-ffi::row(2)))]
    fn field(&self) -> Option<Bytes>;
}

#[derive(Attachment)]
pub struct State;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::write_t, args = (data, _bytes.ptr, n), len = u32::max(n - 1, 1))]
    fn write(&self, _bytes: &[u8]) {}
}

fn main() {}

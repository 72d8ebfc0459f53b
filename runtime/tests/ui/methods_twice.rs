use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn one(&self) -> i32 {
        1
    }
}

#[methods]
impl Thing {
    fn two(&self) -> i32 {
        2
    }
}

fn main() {}

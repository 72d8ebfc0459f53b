use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[derive(IntoPython)]
pub enum Never {}

fn main() {}

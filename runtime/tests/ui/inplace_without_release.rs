use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
}

#[handle(inplace = ffi::Thing)]
struct Thing;


fn main() {}

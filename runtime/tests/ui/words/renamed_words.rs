//! Former names of annotation words are errors that say the new ones.
use leakproof::prelude::*;

mod ffi {
    #[repr(C)]
    pub struct Thing {
        _private: [u8; 0],
    }
    #[repr(C)]
    pub struct View {
        pub start: *mut u8,
        pub size: usize,
    }
    unsafe extern "C" {
        pub fn thing_new() -> *mut Thing;
        pub fn thing_free(thing: *mut Thing);
    }
    pub type Callback = unsafe extern "C" fn(*mut std::ffi::c_void) -> i32;
}

leakproof::memory!(unsafe ffi::View { start: start, length: size });

#[handle(inplace = ffi::Thing, release = ffi::thing_free)]
pub struct InPlace;

#[handle(value = i32, release = ffi::thing_free)]
pub struct Number;

#[handle(raw = ffi::Thing, part_of = Number, transient, owner = size)]
pub struct View;

#[handle(raw = ffi::Thing, lent)]
pub struct Lent;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, private)]
impl Thing {
    #[private]
    #[calls(ffi::thing_new, fails = null, parents = (self))]
    fn new(&self) -> Result<Owned<Self>>;
}

struct State;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::Callback, args = (data), stop = 1, alone, always)]
    fn tell(&self) {}

    #[called(ffi::Callback, args = (data))]
    fn ask(&self) {}
}

fn main() {}

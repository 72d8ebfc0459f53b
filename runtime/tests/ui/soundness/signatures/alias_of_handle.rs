//! A type alias does not hide a handle or memory in a signature.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct thing;
    pub struct part;
    pub unsafe extern "C" fn thing_free(_: *mut thing) {}
    pub unsafe extern "C" fn thing_ref(this: *mut thing) -> *mut thing {
        this
    }
    pub unsafe extern "C" fn thing_part(_: *mut thing) -> *mut part {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_view(_: *mut thing, _: *mut view) {}
    pub unsafe extern "C" fn thing_merge(_: *mut thing, _: *mut thing) {}
    #[derive(Clone, Copy)]
    pub struct view {
        pub start: *const u8,
        pub size: usize,
    }
}

leakproof::byte_slice!(unsafe ffi::view { ptr: start, len: size });

#[handle(raw = ffi::thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, independent)]
pub struct Thing;

#[handle(raw = ffi::part, part_of = Thing)]
pub struct Part;

type Lent<'o> = Borrowed<'o, Part>;
type Perhaps<'o> = Option<Borrowed<'o, Part>>;
type Memory<'o> = &'o [u8];
type Other<'o> = &'o Thing;
type Given<'p> = Owned<'p, Thing>;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_part)]
    fn part(&self) -> Option<Lent<'_>>;

    #[calls(ffi::thing_part)]
    fn part_perhaps(&self) -> Perhaps<'_>;

    #[calls(ffi::thing_view, args = (self, out))]
    fn view(&self) -> Memory<'_>;

    #[calls(ffi::thing_merge)]
    fn merge(&mut self, other: Other<'_>);

    #[calls(ffi::thing_merge)]
    fn eat(&mut self, other: Given<'_>);

    #[calls(ffi::thing_merge)]
    fn merge_nested(&mut self, other: Option<Option<&Thing>>);

    #[calls(ffi::thing_merge)]
    fn eat_nested(&mut self, other: Option<Option<Owned<'_, Thing>>>);
}

fn main() {}

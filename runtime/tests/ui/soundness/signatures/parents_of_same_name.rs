//! Handles of the same name are different parents.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;

mod ffi {
    pub struct large;
    pub unsafe extern "C" fn large_free(_: *mut large) {}
    pub struct small;
    pub unsafe extern "C" fn small_free(_: *mut small) {}
    pub struct child;
    pub unsafe extern "C" fn child_new(_: *mut small) -> *mut child {
        unimplemented!()
    }
    pub unsafe extern "C" fn child_free(_: *mut large, _: *mut child) {}
    pub struct leaf;
    pub unsafe extern "C" fn leaf_new(_: *mut small) -> *mut leaf {
        unimplemented!()
    }
    pub unsafe extern "C" fn leaf_free(_: *mut leaf) {}
}

#[handle(raw = ffi::large, release = ffi::large_free)]
pub struct Parent;
use Parent as Outer;

fn main() {
    #[handle(raw = ffi::small, release = ffi::small_free)]
    pub struct Parent;

    #[handle(raw = ffi::child, release(ffi::child_free, args = (parent, self)), parent = Outer)]
    pub struct Child;

    #[handle(raw = ffi::leaf, release = ffi::leaf_free, parent = Outer)]
    pub struct Leaf;

    #[methods(unsafe, rust_only)]
    impl Parent {
        #[calls(ffi::child_new, fails = null)]
        fn child(&self) -> Result<Owned<Child>>;

        #[calls(ffi::leaf_new, fails = null)]
        fn leaf(&self) -> Result<Owned<Leaf>>;
    }
}

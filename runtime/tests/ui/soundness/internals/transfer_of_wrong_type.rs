//! A hidden lending method takes only the handle type that its C function consumes.

#![allow(non_camel_case_types, unused)]

use leakproof::__private::handle::Transfer;
use leakproof::prelude::*;

mod ffi {
    pub struct pool;
    pub unsafe extern "C" fn pool_new() -> *mut pool {
        unimplemented!()
    }
    pub unsafe extern "C" fn pool_free(_: *mut pool) {}
    pub unsafe extern "C" fn pool_eat(_: *mut pool, _: *mut big) {}
    pub struct child;
    pub unsafe extern "C" fn pool_child(_: *mut pool) -> *mut child {
        unimplemented!()
    }
    pub unsafe extern "C" fn child_free(_: *mut pool, _: *mut child) {}
    pub struct big;
    pub unsafe extern "C" fn big_free(_: *mut big) {}
}

#[handle(raw = ffi::pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::child, release(ffi::child_free, args = (parent, self)), parent = Pool)]
pub struct Child;

#[handle(raw = ffi::big, release = ffi::big_free)]
pub struct Big;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_child, fails = null)]
    fn child(&self) -> Result<Owned<Child>>;

    #[calls(ffi::pool_eat)]
    fn eat(&self, big: Owned<Big>);
}

fn main() {
    let (pool, other) = (Pool::new().unwrap(), Pool::new().unwrap());
    pool.__eat_lending(&mut Some(Transfer::new(other)));
}

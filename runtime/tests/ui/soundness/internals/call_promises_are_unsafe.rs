//! The functions of generated code that promise something about a call are unsafe.

#![allow(non_camel_case_types, unused)]

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
    let pool = Pool::new().unwrap();
    let child = pool.child().unwrap();
    leakproof::__private::call::then_record_parents(leakproof::__private::call::CallOrigin::by(&*pool), |()| child)(());
    leakproof::__private::call::WithoutPython::promised();
}

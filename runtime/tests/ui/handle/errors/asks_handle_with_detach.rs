//! `asks_handle` excludes detached calls without the library's own lock.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Base;
    pub struct Row;
    pub unsafe extern "C" fn base_free(_: *mut Base) {}
    pub unsafe extern "C" fn row_free(_: *mut Row) {}
    pub unsafe extern "C" fn base_run(_: *mut Base) -> c_int {
        unimplemented!()
    }
    pub unsafe extern "C" fn base_copy(_: *mut Base, _: *const Base) -> c_int {
        unimplemented!()
    }
    pub unsafe extern "C" fn row_step(_: *mut Row) -> c_int {
        unimplemented!()
    }
}

#[derive(Default)]
pub struct BaseErrors;

impl ErrorSource<Base> for BaseErrors {
    fn into_error(self, call: &CallInfo<'_, Base>) -> Error {
        Error::Value(format!("{:?}", call.handle()))
    }
}

#[handle(raw = ffi::Base, release = ffi::base_free, errors(BaseErrors, asks_handle))]
pub struct Base;

#[handle(raw = ffi::Row, release = ffi::row_free, parent = Base)]
pub struct Row;

#[handle(raw = ffi::Row, release = ffi::row_free, parent = Base, mut_parent)]
pub struct Writer;

#[handle(raw = ffi::Row, release(ffi::row_free, detach), parent = Base, mut_parent)]
pub struct Reader;

#[methods(unsafe)]
impl Base {
    #[calls(ffi::base_run, fails = nonzero)]
    fn run(&self) -> Result<()>;

    #[calls(ffi::base_run, fails = nonzero, detach)]
    fn run_alone(&mut self) -> Result<()>;

    #[calls(ffi::base_run, fails = nonzero, detach)]
    fn run_beside(&self) -> Result<()>;

    #[calls(ffi::base_run, detach)]
    fn count_beside(&self) -> i32;

    #[calls(ffi::base_copy, fails = nonzero, detach)]
    fn copy(&mut self, other: &Base) -> Result<()>;

    #[detach]
    fn run_all(&self) -> Result<()> {
        self.run()
    }
}

#[methods(unsafe, rust_only)]
impl Row {
    #[calls(ffi::row_step, fails = nonzero)]
    fn step(&mut self) -> Result<()>;

    #[calls(ffi::row_step, fails = nonzero, detach)]
    fn step_beside(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Writer {
    #[calls(ffi::row_step, fails = nonzero, detach)]
    fn step(&mut self) -> Result<()>;

    #[calls(ffi::row_step, fails = nonzero, detach)]
    #[reads_parent]
    fn step_beside(&mut self) -> Result<()>;
}

fn main() {}

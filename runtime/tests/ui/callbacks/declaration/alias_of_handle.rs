//! Neither an alias nor a rename hides a handle or memory in the signature of a callback.

#![allow(unused)]

use std::ffi::{c_int, c_void};

use leakproof::Borrowed as Lent;
use leakproof::prelude::*;

#[path = "../../ffi/visit.rs"]
mod ffi;

mod c {
    pub unsafe extern "C" fn record_free(_: *mut super::ffi::Record) {}
}

#[handle(raw = ffi::Record, release = c::record_free)]
pub struct Record;

#[derive(Attachment)]
pub struct State;

type RecordArgument<'a> = Borrowed<'a, Record>;
type Perhaps<'a> = Option<Borrowed<'a, Record>>;
type Given = Owned<'static, Record>;
type Memory<'a> = &'a [u8];
mod named {
    pub type Borrowed<T> = leakproof::Owned<'static, T>;
}
type MakeFn = unsafe extern "C" fn(*mut c_void) -> *mut ffi::Record;

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn by_alias(&self, record: RecordArgument<'_>) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn by_rename(&self, record: Lent<Record>) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn perhaps(&self, record: Perhaps) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn in_an_option(&self, record: Option<RecordArgument<'_>>) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn given(&self, record: Given) {}

    #[callback(ffi::VisitFn, args = (record, _, _, data))]
    fn by_the_name_of_another(&self, record: named::Borrowed<Record>) {}

    #[callback(ffi::VisitFn, args = (_, bytes.ptr, bytes.len, data))]
    fn memory(&self, bytes: Memory<'_>) {}

    #[callback(MakeFn, args = (data))]
    fn make(&self) -> Option<Given> {
        None
    }

    #[callback(MakeFn, args = (data))]
    fn try_to_make(&self) -> Result<Option<Given>> {
        Ok(None)
    }
}

fn main() {}

//! An opaque C type, the children that live in it, and its parts.

use std::ffi::c_void;

pub struct Thing;
pub struct Child;
pub struct Part;

/// A region of memory of a `Thing`.
#[derive(Clone, Copy)]
pub struct View {
    pub start: *const u8,
    pub size: usize,
}

pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
pub unsafe extern "C" fn thing_new() -> *mut Thing {
    unimplemented!()
}
pub unsafe extern "C" fn thing_ref(_: *mut Thing) -> *mut Thing {
    unimplemented!()
}
pub unsafe extern "C" fn thing_change(_: *mut Thing) {}
pub unsafe extern "C" fn thing_meet(_: *mut Thing, _: i32) {}
pub unsafe extern "C" fn thing_count(_: *mut Thing) -> i32 {
    unimplemented!()
}

pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
    unimplemented!()
}
pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
    unimplemented!()
}
pub unsafe extern "C" fn thing_view(_: *mut Thing, _: *mut View, _: *mut i32) {}
pub unsafe extern "C" fn thing_views(_: *mut Thing, _: *mut i32) -> *const View {
    unimplemented!()
}

pub unsafe extern "C" fn child_free(_: *mut Child) {}
pub unsafe extern "C" fn child_new(_: *mut Thing) -> *mut Child {
    unimplemented!()
}
pub unsafe extern "C" fn child_work(_: *mut Child) {}

pub unsafe extern "C" fn part_free(_: *mut Part) {}
pub unsafe extern "C" fn first(_: *mut Thing) -> *mut Part {
    unimplemented!()
}

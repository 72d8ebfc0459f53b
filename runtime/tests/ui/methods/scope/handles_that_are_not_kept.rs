//! C does not keep a handle that ends with others, or that others use.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn part_ref(it: *mut Part) -> *mut Part {
        it
    }
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
    pub unsafe extern "C" fn thing_add(_: *mut Thing, _: *mut Part) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, attachments, fork_safe)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free, parent = Thing, fork_safe)]
pub struct Child;

#[handle(raw = ffi::Part, retain = ffi::part_ref, release = ffi::part_free, independent, fork_safe)]
pub struct Counted;

#[handle(raw = ffi::Part, release = ffi::part_free, attachments, fork_safe)]
pub struct Attached;

#[handle(raw = ffi::Part, release = ffi::part_free, thread_bound, fork_safe)]
pub struct Bound;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct File;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add, scope = handle)]
    fn add_child(&mut self, part: Owned<Child>);

    #[calls(ffi::thing_add, scope = handle)]
    fn add_counted(&mut self, part: Owned<Counted>);

    #[calls(ffi::thing_add, scope = handle)]
    fn add_attached(&mut self, part: Owned<Attached>);

    #[calls(ffi::thing_add, scope = handle)]
    fn add_bound(&mut self, part: Owned<Bound>);

    #[calls(ffi::thing_add, scope = until_replaced)]
    fn add_file(&mut self, part: Option<Owned<File>>);
}

fn main() {}

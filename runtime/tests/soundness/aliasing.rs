//! Memory that C writes to while Rust has references to it: Miri judges, by both of its models.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, release, touch};

    pub struct tape {
        pub at: u8,
    }

    pub unsafe extern "C" fn tape_new() -> *mut tape {
        acquire("Tape", tape { at: 0 })
    }

    pub unsafe extern "C" fn tape_free(tape: *mut tape) {
        release(tape);
    }

    pub unsafe extern "C" fn tape_read(tape: *mut tape, bytes: *mut u8, count: usize) -> c_int {
        touch(tape);
        for index in 0..count {
            unsafe {
                (*tape).at += 1;
                bytes.add(index).write((*tape).at);
            }
        }
        count as c_int
    }

    /// A struct of the caller's that points into itself, as zlib's streams do.
    pub struct ring {
        pub head: *mut c_int,
        pub value: c_int,
    }

    pub unsafe extern "C" fn ring_init(ring: *mut ring) -> c_int {
        unsafe { (*ring).head = &raw mut (*ring).value };
        0
    }

    pub unsafe extern "C" fn ring_add(ring: *mut ring, count: c_int) -> c_int {
        unsafe {
            *(*ring).head += count;
            (*ring).value
        }
    }

    pub unsafe extern "C" fn ring_clear(ring: *mut ring) {
        unsafe { *(*ring).head = 0 };
        crate::native::note("clear");
    }
}

#[handle(raw = ffi::tape, release = ffi::tape_free)]
struct Tape;

#[methods(unsafe, rust_only)]
impl Tape {
    #[calls(ffi::tape_new, fails = null)]
    fn new() -> Result<Owned<Tape>>;

    #[calls(ffi::tape_read, args = (self, bytes.ptr, bytes.len), fails = negative)]
    fn read(&mut self, bytes: &mut [u8]) -> Result<c_int>;

    #[calls(ffi::tape_read, args = (self, bytes.ptr, bytes.len))]
    fn read_perhaps(&mut self, bytes: Option<&mut [u8]>) -> Result<c_int>;
}

#[handle(caller_allocates = ffi::ring, release = ffi::ring_clear)]
struct Ring;

#[methods(unsafe, rust_only)]
impl Ring {
    #[calls(ffi::ring_init, args = (out), fails = nonzero, on_failure = undefined)]
    fn new() -> Result<Owned<Ring>>;

    #[calls(ffi::ring_add)]
    fn add(&mut self, count: c_int) -> c_int;
}

#[test]
fn bytes_that_c_writes_are_read_afterwards() {
    let _native = Native::start();
    let mut tape = Tape::new().unwrap();
    let mut bytes = [0; 4];
    assert_eq!(tape.read(&mut bytes[1..]).unwrap(), 3);
    assert_eq!(bytes, [0, 1, 2, 3]);
    assert_eq!(tape.read_perhaps(Some(&mut bytes)).unwrap(), 4);
    assert_eq!(bytes, [4, 5, 6, 7]);
    assert_eq!(tape.read_perhaps(None).unwrap(), 0);
}

#[test]
fn struct_that_points_into_itself_stays_where_it_is() {
    let _native = Native::start();
    let mut ring = Ring::new().unwrap();
    assert_eq!(ring.add(2), 2);
    let mut moved = [ring];
    assert_eq!(moved[0].add(3), 5);
    drop(moved);
    assert_eq!(log(), ["clear"]);
}

//! A trait of the author's, in scope for all types, whose methods have the names of those that the expansions call:
//! none of them is called instead.

use leakproof::prelude::*;

use crate::native::{Native, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{CStr, c_char, c_int, c_void};
    use std::ptr;

    use crate::native::{acquire, note, release, touch};

    pub struct jar {
        pub weight: c_int,
    }
    pub struct lid {
        _size: c_int,
    }
    pub type look = Option<unsafe extern "C" fn(*const jar, *mut c_void) -> c_int>;
    pub type fill = Option<unsafe extern "C" fn(*mut u8, usize, *mut c_void) -> usize>;
    pub type destroy = Option<unsafe extern "C" fn(*mut c_void)>;

    pub unsafe extern "C" fn jar_new() -> *mut jar {
        acquire("Jar", jar { weight: 2 })
    }

    pub unsafe extern "C" fn jar_free(jar: *mut jar) {
        release(jar);
    }

    pub unsafe extern "C" fn jar_lid(jar: *mut jar, other: *mut jar) -> *mut lid {
        touch(jar);
        if !other.is_null() {
            touch(other);
        }
        acquire("Lid", lid { _size: 1 })
    }

    pub unsafe extern "C" fn lid_free(lid: *mut lid) {
        release(lid);
    }

    /// Writes two bytes, or says that it needs them.
    pub unsafe extern "C" fn jar_read(_: *mut jar, place: *mut u8, size: *mut usize) -> c_int {
        let is_large_enough = unsafe { *size } >= 2;
        note(format!("{} bytes", unsafe { *size }));
        if is_large_enough {
            unsafe { place.write_bytes(7, 2) };
        }
        unsafe { *size = 2 };
        c_int::from(!is_large_enough)
    }

    /// Writes all but the last byte.
    pub unsafe extern "C" fn jar_pour(_: *mut jar, place: *mut u8, size: usize) -> usize {
        note(format!("{size} bytes"));
        unsafe { place.write_bytes(8, size - 1) };
        size - 1
    }

    pub unsafe extern "C" fn jar_both(
        _: *mut jar,
        label: *const c_char,
        weight: *mut c_int,
        lid: *mut *mut lid,
    ) -> c_int {
        unsafe { *weight = c_int::try_from(CStr::from_ptr(label).count_bytes()).unwrap() };
        unsafe { *lid = acquire("Lid", super::ffi::lid { _size: 1 }) };
        0
    }

    pub unsafe extern "C" fn jar_bytes(_: *mut jar, bytes: *mut *mut u8, size: *mut usize) {
        unsafe { *bytes = Box::into_raw(Box::new([1_u8, 2, 3])).cast() };
        unsafe { *size = 3 };
    }

    pub unsafe extern "C" fn bytes_free(bytes: *mut c_void) {
        note("freed");
        drop(unsafe { Box::from_raw(bytes.cast::<[u8; 3]>()) });
    }

    pub unsafe extern "C" fn jar_label(_: *mut jar) -> *const u8 {
        c"label".as_ptr().cast()
    }

    pub unsafe extern "C" fn jar_shake(_: *mut jar, reason: *mut c_int) -> c_int {
        unsafe { *reason = 3 };
        1
    }

    pub unsafe extern "C" fn jar_look(jar: *mut jar, look: look, data: *mut c_void) -> c_int {
        unsafe { look.unwrap()(jar, data) }
    }

    pub unsafe extern "C" fn jar_tell(
        jar: *mut jar,
        look: look,
        data: *mut c_void,
        destroy: destroy,
    ) {
        unsafe { look.unwrap()(jar, data) };
        unsafe { destroy.unwrap()(data) };
    }

    pub unsafe extern "C" fn jar_fill(_: *mut jar, fill: fill, data: *mut c_void) -> usize {
        let mut bytes = [0; 4];
        unsafe { fill.unwrap()(bytes.as_mut_ptr(), 4, data) }
    }

    pub unsafe extern "C" fn jar_close_with(_: *mut jar, lid: *mut lid) -> c_int {
        c_int::from(lid.is_null())
    }

    pub unsafe extern "C" fn jar_take(_: *mut jar, lid: *mut lid) -> c_int {
        if ptr::eq(lid, ptr::null()) {
            return 1;
        }
        unsafe { lid_free(lid) };
        0
    }
}

/// The result of the methods of the trait: nothing that the expansions have a use for.
#[derive(Debug)]
struct Captured;

macro_rules! captures {
    ($($name:ident)+) => {
        /// In scope, and implemented for all types. Methods by value come before those by reference.
        #[allow(dead_code, clippy::wrong_self_convention, reason = "nothing calls them")]
        trait Captures: Sized {
            $(fn $name(self) -> Captured {
                Captured
            })+
        }

        impl<T> Captures for T {}
    };
}

captures! {
    as_deref as_ref attempt buffer capacity clear counted_as data destroy filled function get get_in give has_failed
    is_err is_nothing limit optional pointer raw record_outcome required run set start take
}

#[handle(raw = ffi::jar, release = ffi::jar_free, attachments, fork_safe, errors = Reason)]
struct Jar;

#[handle(raw = ffi::lid, release = ffi::lid_free, fork_safe)]
struct Cover;

/// The number that C gave as a reason.
#[derive(Debug, Default)]
struct Reason(i32);

impl FailureDetails<i32> for Reason {
    fn details(&mut self, number: i32) {
        self.0 = number;
    }
}

impl<T: leakproof::Handle> ErrorSource<T> for Reason {
    fn into_error(self, _: &CallInfo<'_, T>) -> Error {
        Error::Value(format!("reason {}", self.0))
    }
}

#[derive(Attachment)]
struct Look;

#[callbacks(unsafe)]
#[allow(clippy::unused_self, reason = "as the annotation wants it")]
impl Look {
    #[callback(ffi::look, args = (jar, data), on_error = -1)]
    fn look(&self, jar: &Jar) -> Result<i32> {
        Ok(jar.weight())
    }

    #[callback(ffi::fill, args = (buffer.ptr, buffer.len, data))]
    fn fill(&self, mut buffer: OutBuffer<'_>) -> Result<()> {
        buffer.put([5, 6])
    }
}

#[methods(unsafe, rust_only)]
impl Jar {
    #[calls(ffi::jar_new, fails = null)]
    fn new() -> Result<Owned<Jar>>;

    #[field(weight)]
    fn weight(&self) -> i32;

    #[calls(ffi::jar_lid, fails = null)]
    fn lid(&self, other: Option<&mut Jar>) -> Result<Owned<Cover>>;

    #[calls(ffi::jar_read, args = (self, buffer.ptr, &mut buffer.len), buffer = 1, too_small = when(|ret| ret == 1), fails = nonzero)]
    fn read(&self) -> Result<Bytes>;

    #[calls(ffi::jar_pour, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = when(|_| false))]
    fn pour(&self) -> Result<Bytes>;

    #[calls(ffi::jar_both, args = (self, label, out, out), fails = nonzero, on_failure = null)]
    fn both(&self, label: &str) -> Result<(i32, Owned<Cover>)>;

    #[calls(ffi::jar_bytes, args = (self, out, len), free = ffi::bytes_free, on_failure = null, fails = when(|()| false))]
    fn bytes(&self) -> Result<Bytes>;

    #[calls(ffi::jar_label, borrowed, len = 2 * 2, fails = null)]
    fn label(&self) -> Result<Bytes>;

    #[calls(ffi::jar_label, borrowed, until = null, fails = null)]
    fn whole_label(&self) -> Result<Vec<u8>>;

    #[calls(ffi::jar_shake, args = (self, details), details = i32, fails = nonzero)]
    fn shake(&self) -> Result<()>;

    #[calls(ffi::jar_look, args = (self, look.look, look.data))]
    fn look(&self, look: &Look) -> i32;

    #[calls(ffi::jar_tell, args = (self, look.look, look.data, look.destroy), scope = notified)]
    fn tell(&self, look: Look);

    #[calls(ffi::jar_fill, args = (self, look.fill, look.data))]
    fn fill(&self, look: &Look) -> usize;

    #[calls(ffi::jar_close_with, args = (self, cover), scope = until_replaced)]
    fn close_with(&mut self, cover: Option<Owned<Cover>>) -> i32;

    #[calls(ffi::jar_take, args = (self, cover), consumes = on_success, fails = nonzero)]
    fn take_cover(&mut self, cover: Owned<Cover>) -> Result<()>;
}

#[test]
fn methods_of_a_trait_of_the_author_s_are_not_called_for_the_runtime_s() {
    let _native = Native::start();
    let (mut jar, mut other) = (Jar::new().unwrap(), Jar::new().unwrap());
    assert_eq!(jar.read().unwrap().0, [7, 7]);
    assert_eq!(jar.pour().unwrap().0, [8, 8, 8]);
    assert_eq!(log(), ["1 bytes", "3 bytes", "4 bytes"]);
    let (length, cover) = jar.both("four").unwrap();
    assert_eq!(length, 4);
    assert_eq!(jar.bytes().unwrap().0, [1, 2, 3]);
    assert_eq!(jar.label().unwrap().0, b"labe");
    assert_eq!(jar.whole_label().unwrap(), b"label");
    assert_eq!(jar.shake().unwrap_err().to_string(), "reason 3");
    drop(jar.lid(Some(&mut other)).unwrap());
    assert_eq!(jar.look(&Look), 2);
    jar.tell(Look);
    assert_eq!(jar.fill(&Look), 2);
    assert_eq!(jar.close_with(Some(cover)), 0);
    assert_eq!(jar.close_with(None), 1);
    let (_, cover) = jar.both("").unwrap();
    jar.take_cover(cover).unwrap();
    assert_eq!(
        log(),
        ["freed", "release Lid", "release Lid", "release Lid"]
    );
}

//! An `Option` of the author's is no `Option` in a signature, nor a type of the author's an integer of C: their methods
//! would say which handle C gets, or how much memory.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Jar;
    pub struct Label {
        pub next: *mut Label,
    }
    /// An integer of the author's.
    #[derive(Clone, Copy)]
    #[repr(transparent)]
    pub struct Size(c_int);

    impl TryFrom<usize> for Size {
        type Error = ();

        fn try_from(_: usize) -> core::result::Result<Self, ()> {
            Ok(Size(1_000))
        }
    }

    pub unsafe extern "C" fn jar_free(_: *mut Jar) {}
    pub unsafe extern "C" fn jar_mix(_: *mut Jar, _: *mut Jar) {}
    pub unsafe extern "C" fn jar_fill(_: *mut Jar, _: *const u8, _: Size) -> c_int {
        0
    }
    pub unsafe extern "C" fn jar_compare(_: *mut Jar, _: *const Jar) {}
}

#[handle(raw = ffi::Jar, release = ffi::jar_free, lends)]
pub struct Jar;

#[handle(raw = ffi::Label, part_of = Jar)]
pub struct Label;

mod mine {
    pub struct Option<T>(pub T, pub &'static super::Jar, pub core::option::Option<&'static super::Jar>);

    impl<T> Option<T> {
        pub fn as_deref(&self) -> core::option::Option<&super::Jar> {
            Some(self.1)
        }
    }

    impl<T> std::ops::Deref for Option<T> {
        type Target = core::option::Option<&'static super::Jar>;

        fn deref(&self) -> &Self::Target {
            &self.2
        }
    }

    impl<'a> From<Option<&'a super::Label>> for core::option::Option<&'a super::Label> {
        fn from(option: Option<&'a super::Label>) -> Self {
            Some(option.0)
        }
    }
}

#[methods(unsafe, rust_only)]
impl Jar {
    #[calls(ffi::jar_mix)]
    fn mix(&self, other: mine::Option<&mut Jar>);

    #[calls(ffi::jar_compare)]
    fn compare(&self, other: mine::Option<&Jar>);

    #[calls(ffi::jar_fill, args = (self, bytes.ptr, bytes.len), fails = nonzero)]
    fn fill(&mut self, bytes: &[u8]) -> leakproof::Result<()>;
}

#[methods(unsafe, rust_only)]
impl Label {
    #[field(next)]
    fn set_next(&mut self, next: mine::Option<&Label>);
}

fn main() {}

//! A `Deref` of the author's would run while C's struct is in use.

use leakproof::prelude::*;
use std::ops::{Deref, DerefMut};

#[allow(non_camel_case_types)]
mod ffi {
    use std::ffi::{c_int, c_void};

    pub struct inner {
        pub start: *mut u8,
        pub size: usize,
        pub lock: *mut c_void,
        pub page: *mut page,
        pub book: *mut book,
    }
    pub struct book {
        pub text: super::Text,
    }
    pub struct page {
        pub text: super::Text,
        pub start: *mut u8,
        pub next: *mut page,
        pub below: *mut page,
        pub user: *mut c_void,
    }
    #[derive(Clone, Copy, Default)]
    pub struct bytes {
        pub size: c_int,
        pub place: super::Place,
    }
    #[derive(Clone, Copy)]
    pub struct value(pub super::Span);
    #[derive(Clone, Copy)]
    pub struct span {
        pub start: *const u8,
        pub size: usize,
    }

    pub unsafe extern "C" fn book_free(_: *mut book) {}
    pub unsafe extern "C" fn page_free(_: *mut page) {}
    pub unsafe extern "C" fn enter(_: *mut c_void) {}
    pub unsafe extern "C" fn leave(_: *mut c_void) {}
    pub unsafe extern "C" fn book_fill(_: *mut book) {}
}

pub struct Text(ffi::inner);

impl Deref for Text {
    type Target = ffi::inner;

    fn deref(&self) -> &ffi::inner {
        &self.0
    }
}

impl DerefMut for Text {
    fn deref_mut(&mut self) -> &mut ffi::inner {
        &mut self.0
    }
}

#[derive(Clone, Copy, Default)]
pub struct Place(Inner);

#[derive(Clone, Copy, Default)]
pub struct Inner {
    x: i32,
}

impl Deref for Place {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl DerefMut for Place {
    fn deref_mut(&mut self) -> &mut Inner {
        &mut self.0
    }
}

#[derive(Clone, Copy)]
pub struct Span(ffi::span);

impl Deref for ffi::value {
    type Target = ffi::span;

    fn deref(&self) -> &ffi::span {
        &self.0.0
    }
}

leakproof::byte_slice!(unsafe ffi::value { ptr: start, len: size });

#[handle(raw = ffi::book, release = ffi::book_free, tree, lock(of = self.text.lock, enter = ffi::enter, leave = ffi::leave))]
pub struct Book;

#[handle(raw = ffi::page, part_of = Book, owner_field = text.book, tree(
    parent = text.page,
    children = below,
    next = next,
    object = user,
    release = ffi::page_free,
))]
pub struct Page;

#[record(ffi::bytes)]
pub struct Size {
    #[field(place.x)]
    size: i32,
}

#[methods(unsafe, rust_only)]
impl Book {
    #[calls(ffi::book_fill, args = (self), fields(text.size = size))]
    fn fill(&mut self, size: usize);
}

#[methods(unsafe, rust_only)]
impl Page {
    #[field(start, len = text.size)]
    fn bytes(&self) -> Option<Bytes>;

    #[field((*text).size)]
    fn size(&self) -> usize;

    #[field(start, when(text.size, 1))]
    fn text(&self) -> Option<CString>;
}

fn main() {}

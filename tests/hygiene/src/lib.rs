//! The expansion of the macros compiles where the crate has another name, where every name of the prelude means
//! something else, where all has to be documented, and where `unsafe` is not allowed.
//!
//! `unsafe_code` may be forbidden because rustc looks for `unsafe` where it is written, which is in the macros. The
//! author writes none but the word in `#[methods(unsafe)]`; the C functions are declared in another crate.

#![forbid(unsafe_code)]
#![deny(missing_docs, missing_debug_implementations)]
#![deny(clippy::all, clippy::undocumented_unsafe_blocks)]
#![deny(nonstandard_style)]
#![no_implicit_prelude]

/// Names that a careless author, or a C header, might use. Not the primitive types: PyO3 writes those by their names.
#[allow(dead_code, non_camel_case_types, reason = "they are in the way")]
mod shadows {
    pub(crate) struct Option;
    pub(crate) struct Some;
    pub(crate) struct None;
    pub(crate) struct Ok;
    pub(crate) struct Err;
    pub(crate) struct Vec;
    pub(crate) struct String;
    pub(crate) struct Box;
    pub(crate) struct Result;
    pub(crate) struct Owned;
    pub(crate) struct Borrowed;
    pub(crate) struct Error;
    pub(crate) struct Python;
    pub(crate) struct Bound;
    pub(crate) trait Into {}
    pub(crate) trait From {}
    pub(crate) trait Clone {}
    pub(crate) trait Drop {}
    pub(crate) trait Iterator {}
    pub(crate) mod core {}
    pub(crate) mod std {}
    pub(crate) mod pyo3 {}
    pub(crate) mod leakproof {}
}

/// A file of C's library, wrapped among the shadows.
pub mod shadowed {
    #[allow(unused_imports, reason = "they are in the way")]
    use crate::shadows::*;

    /// A failure of a file.
    #[::lp::exception(crate = ::lp)]
    pub struct FileError {
        /// In words.
        pub message: ::std::string::String,
        /// Its number.
        pub code: ::core::primitive::i32,
    }

    /// A file that isn't there.
    #[::lp::exception(crate = ::lp, extends = FileError)]
    pub struct NoFileError {
        /// The text of every error.
        pub base: FileError,
        /// The name that it would have.
        pub name: ::core::option::Option<::std::string::String>,
    }

    /// From where one seeks.
    #[::lp::int_enum(::libc::c_int, crate = ::lp)]
    pub enum Whence {
        /// The start.
        SET = ::libc::SEEK_SET,
        /// The end.
        END = ::libc::SEEK_END,
    }

    /// The modes in which a file may be opened.
    #[::lp::int_flag(::libc::c_int, crate = ::lp)]
    pub enum Access {
        /// Reading.
        READ = ::libc::R_OK,
        /// Writing.
        WRITE = ::libc::W_OK,
    }

    /// A file.
    #[::lp::handle(
        raw = ::libc::FILE,
        release(::libc::fclose, fails = nonzero),
        errors = ::lp::Errno,
        subclass,
        crate = ::lp
    )]
    pub struct File;

    #[::lp::methods(unsafe, crate = ::lp)]
    impl File {
        /// Open it.
        #[new]
        #[calls(::libc::fopen, fails = null)]
        fn new(path: &::lp::FsPath, mode: &::std::ffi::CStr) -> ::lp::Result<::lp::Owned<File>>;

        /// A temporary one.
        #[staticmethod]
        #[calls(::libc::tmpfile)]
        fn temporary() -> ::std::option::Option<::lp::Owned<File>>;

        /// Go elsewhere.
        #[calls(::libc::fseek, fails = nonzero, detach)]
        fn seek(&mut self, offset: ::libc::c_long, whence: Whence) -> ::lp::Result<()>;

        /// The position.
        #[getter]
        #[calls(::libc::ftell, fails = negative)]
        fn position(&self) -> ::lp::Result<::libc::c_long>;

        /// Write bytes; how many were written.
        #[calls(::libc::fwrite, args = (data.ptr, 1, data.len, self))]
        fn write(&mut self, data: ::lp::Buffer<'_>) -> ::lp::Result<usize>;

        /// Compare a text and bytes, whose names are keywords.
        #[rust_only]
        #[calls(
            ::libc::memcmp,
            args = (r#match.ptr, r#type.ptr, r#type.len),
            fails = when(|_| false)
        )]
        fn compare(
            r#type: &[::std::primitive::u8],
            r#match: &::std::primitive::str,
        ) -> ::lp::Result<::libc::c_int>;

        /// Write a text.
        #[calls(::libc::fputs, args = (text, self), fails = negative)]
        fn puts(&mut self, text: &::std::primitive::str) -> ::lp::Result<()>;

        /// Returns whether the end is reached.
        #[getter]
        #[calls(::libc::feof)]
        fn at_end(&self) -> ::std::primitive::bool;

        /// Returns the start of a message.
        #[staticmethod]
        #[calls(::libc::strerror, len = |code| 1 + code - code, borrowed)]
        fn first_letter(code: ::libc::c_int) -> ::std::option::Option<::lp::Bytes>;

        /// Returns the start of a message.
        #[staticmethod]
        #[calls(::libc::strerror, len = 2 * 2, borrowed, fails = null)]
        fn start(code: ::libc::c_int) -> ::lp::Result<::lp::Bytes>;

        /// Returns the start of a message, under the name of a special method.
        #[pyo3(signature = (code = 1))]
        #[calls(::libc::strerror, args = (code), borrowed)]
        fn __format__(&self, code: ::libc::c_int) -> ::std::option::Option<::std::ffi::CString>;

        /// Returns a message, under a name that ends with an underscore.
        #[staticmethod]
        #[calls(::libc::strerror, borrowed)]
        fn type_(code: ::libc::c_int) -> ::std::option::Option<::std::ffi::CString>;

        /// Ends it, under the name of a special method.
        #[calls(::libc::fclose, fails = nonzero, consumes = always)]
        fn __call__(this: ::lp::Owned<Self>) -> ::lp::Result<()>;

        #[calls(::libc::fileno)]
        fn __hash__(&self) -> ::libc::c_int;

        fn __eq__(&self, other: &File) -> ::std::primitive::bool {
            self.__hash__() == other.__hash__()
        }

        fn __iadd__(&mut self, other: &File) {
            let _ = other;
        }

        /// From a body.
        fn rewind(&mut self) -> ::lp::Result<()> {
            self.seek(0, Whence::SET)
        }
    }

    /// Numbers or nothing.
    #[derive(Debug, ::lp::IntoPython)]
    #[leakproof(crate = ::lp)]
    pub enum Answer {
        /// A number.
        Number(::std::primitive::i64),
    }

    /// A struct of C's library.
    #[::lp::record(crate::Division, crate = ::lp)]
    pub struct Divided {
        /// The quotient.
        #[field(quot)]
        pub quotient: ::std::primitive::i32,
        /// The remainder.
        pub rem: ::std::primitive::i32,
    }

    /// A struct with text and a pointer.
    #[::lp::record(crate::Named, partial, ord, crate = ::lp)]
    pub struct Named {
        /// UTF-8.
        pub name: ::std::string::String,
        /// Any bytes.
        pub bytes: ::std::ffi::CString,
        /// A number.
        pub number: ::std::primitive::i32,
    }

    /// From where one seeks, and from nowhere else.
    #[::lp::int_enum(::libc::c_int, boundary = strict, crate = ::lp)]
    pub enum StrictWhence {
        /// The start.
        SET = ::libc::SEEK_SET,
    }

    /// A file that the system does not open.
    #[::lp::exception(crate = ::lp, extends = ::lp::pyo3::exceptions::PyOSError)]
    pub struct SystemError {
        /// In words.
        pub message: ::std::string::String,
        /// The number of the system.
        pub errno: ::core::primitive::i32,
    }

    /// A comparison of two numbers for C.
    #[derive(Debug, ::lp::Attachment)]
    #[leakproof(crate = ::lp)]
    pub struct Order {
        reversed: ::std::primitive::bool,
        python: ::std::option::Option<::lp::Callable>,
    }

    #[::lp::callbacks(unsafe, crate = ::lp)]
    impl Order {
        /// Fills C's memory.
        #[callback(
            unsafe extern "C" fn(*mut ::libc::c_void, ::libc::size_t, ::libc::size_t, *mut ::libc::c_void) -> ::libc::size_t,
            args = (buffer.ptr, size, count, data),
            len = size.saturating_mul(count)
        )]
        pub fn fill(
            &self,
            mut buffer: ::lp::OutBuffer<'_>,
            size: ::libc::size_t,
        ) -> ::lp::Result<()> {
            let _ = size;
            buffer.put("bytes")
        }

        /// Is called under the name of a keyword.
        #[callback(unsafe extern "C" fn(*mut ::libc::c_void), args = (data))]
        pub fn r#match(&self) {}

        /// Compare them.
        #[callback(
            unsafe extern "C" fn(::libc::c_int, ::libc::c_int, *mut ::libc::c_void) -> ::libc::c_int,
            args = (left, right, data),
            on_error = 0,
            even_after_error
        )]
        pub fn compare(
            &self,
            left: ::std::primitive::i32,
            right: ::std::primitive::i32,
        ) -> ::lp::Result<::std::primitive::i32> {
            ::std::result::Result::Ok(match &self.python {
                ::std::option::Option::Some(python) => python.call((left, right))?,
                ::std::option::Option::None if self.reversed => right - left,
                ::std::option::Option::None => left - right,
            })
        }
    }

    /// A function with the name of a special one.
    #[::lp::function(crate = ::lp)]
    fn __dir__() -> ::lp::Result<()> {
        ::std::result::Result::Ok(())
    }

    /// A function.
    #[::lp::function(crate = ::lp)]
    fn answer(divided: Divided, access: Access, answer: StrictWhence) -> ::lp::Result<Answer> {
        let _ = answer;
        ::std::result::Result::Ok(Answer::Number((divided.quotient() + access.0) as _))
    }

    /// The module.
    #[::lp::module(crate = ::lp)]
    pub mod hygiene {
        #[pymodule_export]
        use super::{
            __dir__, Access, Divided, File, FileError, Named, NoFileError, StrictWhence,
            SystemError, Whence, answer,
        };
    }
}

/// A struct as bindgen writes it.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C)]
pub struct Division {
    quot: ::libc::c_int,
    rem: ::libc::c_int,
}

/// A struct with a pointer.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Named {
    name: [::libc::c_char; 8],
    bytes: [::libc::c_uchar; 8],
    number: ::libc::c_int,
    next: *mut Named,
}

impl Default for Named {
    fn default() -> Self {
        Named {
            name: [0; 8],
            bytes: [0; 8],
            number: 0,
            next: ::std::ptr::null_mut(),
        }
    }
}

use ::std::clone::Clone;
use ::std::default::Default;
use ::std::fmt::Debug;
use ::std::marker::Copy;
use ::std::prelude::rust_2024::derive;

//! The macros of leakproof. Use them through the crate `leakproof`, which documents every argument.
//!
//! Each macro is a pipeline. The stages of a long macro are modules:
//!
//! 1. parse: from tokens to arguments as they are written (`ast`);
//! 2. check: the rules of the annotation, one small function each; all mistakes of an item are
//!    reported together;
//! 3. model: the facts with all defaults filled in (`#[handle]` only);
//! 4. expand: from facts to tokens, which cannot fail. Rules that depend on the annotations of
//!    other types expand to assertions, which rustc evaluates.
//!
//! `attr` parses what all annotations share, `types` recognizes the types that the author wrote,
//! and `expansion_size` keeps generated code small.

mod attr;
mod c_expr;
mod callbacks;
mod derive;
mod diagnostics;
mod docs;
mod enums;
mod exception;
#[cfg(test)]
mod expansion_size;
mod field_path;
mod function;
mod handle;
mod length;
mod methods;
mod module;
mod pyo3;
mod record;
mod renamed;
mod span;
mod status;
mod stub;
mod text;
mod types;

use proc_macro::TokenStream;

/// Declares a Rust type and a Python class for a C handle.
///
/// The annotated struct has no fields. The arguments name its C type, its release function and the
/// handles that it lives in.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn handle(args: TokenStream, item: TokenStream) -> TokenStream {
    handle::handle(args.into(), item.into()).into()
}

/// Generates methods of a handle, for Rust and for Python.
///
/// A method without a body calls a C function (`#[calls]`) or accesses a field (`#[field]`). A
/// method with a body is safe Rust.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn methods(args: TokenStream, item: TokenStream) -> TokenStream {
    methods::methods(args.into(), item.into()).into()
}

/// Exports a Rust function as a function of the Python module.
///
/// The function takes and returns handles as methods do.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn function(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(args.into(), item.into()).into()
}

/// Declares a struct that is an error in Rust and an exception class in Python.
///
/// The fields of the struct are attributes of the exception.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn exception(args: TokenStream, item: TokenStream) -> TokenStream {
    exception::exception(args.into(), item.into()).into()
}

/// Declares C constants as a Rust type and as an `enum.IntEnum` in Python.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn int_enum(args: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(args.into(), item.into(), false).into()
}

/// Declares C flags as a Rust type and as an `enum.IntFlag` in Python.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn int_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(args.into(), item.into(), true).into()
}

/// Declares a C struct that is copied as a value, in Rust and in Python.
///
/// The fields are numbers, `bool`, enums, flags and other records.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn record(args: TokenStream, item: TokenStream) -> TokenStream {
    record::record(args.into(), item.into()).into()
}

/// Generates C function pointers that call the methods of a value.
///
/// Each method with `#[callback]` becomes a function pointer, whose user data is the value.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn callbacks(args: TokenStream, item: TokenStream) -> TokenStream {
    callbacks::callbacks(args.into(), item.into()).into()
}

/// Implements `Attachment`, for a struct or an enum that is stored with a handle.
///
/// The garbage collector visits all fields.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_derive(Attachment, attributes(leakproof))]
pub fn attachment(item: TokenStream) -> TokenStream {
    derive::attachment::attachment(item.into()).into()
}

/// Declares the Python extension module.
///
/// The module exports its own items, as with PyO3's `#[pymodule]`, and the classes and functions
/// that every leakproof module has.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_attribute]
pub fn module(args: TokenStream, item: TokenStream) -> TokenStream {
    module::module(args.into(), item.into()).into()
}

/// Implements `IntoPython` for an enum: Python gets the value that the variant holds.
///
/// See the crate `leakproof` for the arguments.
#[proc_macro_derive(IntoPython, attributes(leakproof))]
pub fn into_python(item: TokenStream) -> TokenStream {
    derive::into_python::into_python(item.into()).into()
}

//! The reference: one page per macro, with each annotation word under its own heading.
//!
//! **Start here:** [ownership] is the index by what the C library does. *C does X: write Y.*
//!
//! | page | annotation |
//! |---|---|
//! | [handle] | `#[handle(…)] struct Name;` stands for a C handle |
//! | [methods] | `#[methods(…)] impl Name { … }` has the methods of a handle |
//! | [calls] | `#[calls(ffi::f, …)]` generates a method from a C function |
//! | [field] | `#[field(place, …)]` generates a method from a field of the C struct |
//! | [callbacks] | `#[callbacks(unsafe)] impl State { … }` is a value whose methods C calls |
//! | [callback] | `#[callback(ffi::t, …)]` is one of these methods |
//! | [attachment] | `#[derive(Attachment)]` is a value that a handle can keep |
//! | [exception] | `#[exception] struct E { … }` is an error of the package |
//! | [int_enum] | `#[int_enum(ffi::t)] enum E { … }` has C's constants |
//! | [int_flag] | `#[int_flag(ffi::t)] enum F { … }` has C's flags |
//! | [record] | `#[record(ffi::t)] struct R { … }` is a C struct of plain values |
//! | [into_python] | `#[derive(IntoPython)]` is a result of one of several types |
//! | [function] | `#[function] fn …` is a function of the Python module |
//! | [module] | `#[module] mod name { … }` is the Python extension module |
//!
//! | topic | |
//! |---|---|
//! | [types] | types of parameters and results |
//! | [waiting] | which calls may run at the same time, and which ones wait |
//! | [failing] | errors and exceptions |
//! | [signals] | Ctrl-C while C works |
//! | [interpreters] | sub-interpreters, the end of the interpreter, Rust without Python |
//! | [bindings] | the build helper, and the names in `mod ffi` |
//! | [packages] | Python files and stubs, editable installs, quick builds, versions of Python, builds without network |
//! | [wrong_annotations] | how mistakes in annotations are found |
//! | [live_handles] | handles that live too long |
//!
//! # Safety
//!
//! Each page says what an annotation *asserts*: the fact about C that its author vouches for with
//! the word `unsafe`. `SAFETY.md` at the root of the repository has all of these in one table,
//! beside the guarantees that the runtime gives in turn. Words without such a fact assert nothing.

/// The modules of this reference are empty: each one is a page.
macro_rules! pages {
    ($($page:ident)+) => {$(
        #[doc = include_str!(concat!("reference/", stringify!($page), ".md"))]
        pub mod $page {}
    )+};
}

pages! {
    ownership
    handle methods calls field callbacks callback attachment exception int_enum int_flag record into_python function module
    types waiting failing signals interpreters bindings packages wrong_annotations live_handles
}

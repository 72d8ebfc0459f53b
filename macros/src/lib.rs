//! The macros of leakproof. Use them through the crate `leakproof`, which documents every word.
//!
//! Each macro is three stages in three places: parse (tokens to args), model with its checks (args to facts, all
//! mistakes reported at once), expand (facts to tokens, which can't fail).

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

/// Makes a type stand for a C handle. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn handle(args: TokenStream, item: TokenStream) -> TokenStream {
    handle::handle(args.into(), item.into()).into()
}

/// Makes the methods of a handle, for Rust and for Python. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn methods(args: TokenStream, item: TokenStream) -> TokenStream {
    methods::methods(args.into(), item.into()).into()
}

/// Makes a function of the Python module. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn function(args: TokenStream, item: TokenStream) -> TokenStream {
    function::function(args.into(), item.into()).into()
}

/// Makes a struct an exception of the package. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn exception(args: TokenStream, item: TokenStream) -> TokenStream {
    exception::exception(args.into(), item.into()).into()
}

/// Makes constants of C a type, and in Python an `enum.IntEnum`. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn int_enum(args: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(args.into(), item.into(), false).into()
}

/// Makes flags of C a type, and in Python an `enum.IntFlag`. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn int_flag(args: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(args.into(), item.into(), true).into()
}

/// Makes a struct of C a value, in Rust and in Python. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn record(args: TokenStream, item: TokenStream) -> TokenStream {
    record::record(args.into(), item.into()).into()
}

/// Makes methods of a value functions that C can call. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn callbacks(args: TokenStream, item: TokenStream) -> TokenStream {
    callbacks::callbacks(args.into(), item.into()).into()
}

/// Makes a struct or an enum a value that a handle can keep. See the crate `leakproof`.
#[proc_macro_derive(Attachment, attributes(leakproof))]
pub fn attachment(item: TokenStream) -> TokenStream {
    derive::attachment::attachment(item.into()).into()
}

/// Makes a module the Python extension module. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn module(args: TokenStream, item: TokenStream) -> TokenStream {
    module::module(args.into(), item.into()).into()
}

/// Gives an enum of results to Python as what its variant holds. See the crate `leakproof`.
#[proc_macro_derive(IntoPython, attributes(leakproof))]
pub fn into_python(item: TokenStream) -> TokenStream {
    derive::into_python::into_python(item.into()).into()
}

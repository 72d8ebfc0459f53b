//! The macros of leakproof. Use them through the crate `leakproof`, which documents every word.
//!
//! Each macro is three stages in three places: parse (tokens to words), model with its checks (words to facts, all
//! mistakes reported at once), expand (facts to tokens, which can't fail).

mod attachment;
mod callbacks;
mod diagnostics;
mod enums;
mod exception;
mod fails;
mod handle;
mod in_c;
mod into_python;
mod methods;
mod module;
mod record;
#[cfg(test)]
mod size;
mod text;
mod words;

use proc_macro::TokenStream;

/// Makes a type stand for a C handle. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn handle(words: TokenStream, item: TokenStream) -> TokenStream {
    handle::handle(words.into(), item.into()).into()
}

/// Makes the methods of a handle, for Rust and for Python. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn methods(words: TokenStream, item: TokenStream) -> TokenStream {
    methods::methods(words.into(), item.into()).into()
}

/// Makes a function of the Python module. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn function(words: TokenStream, item: TokenStream) -> TokenStream {
    methods::function(words.into(), item.into()).into()
}

/// Makes a struct an exception of the package. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn exception(words: TokenStream, item: TokenStream) -> TokenStream {
    exception::exception(words.into(), item.into()).into()
}

/// Makes constants of C a type, and in Python an `enum.IntEnum`. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn int_enum(words: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(words.into(), item.into(), false).into()
}

/// Makes flags of C a type, and in Python an `enum.IntFlag`. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn int_flag(words: TokenStream, item: TokenStream) -> TokenStream {
    enums::enums(words.into(), item.into(), true).into()
}

/// Makes a struct of C a value, in Rust and in Python. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn record(words: TokenStream, item: TokenStream) -> TokenStream {
    record::record(words.into(), item.into()).into()
}

/// Makes methods of a value functions that C can call. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn callbacks(words: TokenStream, item: TokenStream) -> TokenStream {
    callbacks::callbacks(words.into(), item.into()).into()
}

/// Makes a struct or an enum a value that a handle can keep. See the crate `leakproof`.
#[proc_macro_derive(Attachment, attributes(leakproof))]
pub fn attachment(item: TokenStream) -> TokenStream {
    attachment::attachment(item.into()).into()
}

/// Makes a module the Python extension module. See the crate `leakproof`.
#[proc_macro_attribute]
pub fn module(words: TokenStream, item: TokenStream) -> TokenStream {
    module::module(words.into(), item.into()).into()
}

/// Gives an enum of results to Python as what its variant holds. See the crate `leakproof`.
#[proc_macro_derive(IntoPython, attributes(leakproof))]
pub fn into_python(item: TokenStream) -> TokenStream {
    into_python::into_python(item.into()).into()
}

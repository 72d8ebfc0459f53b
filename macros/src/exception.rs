//! `#[exception]`: a struct that is both a Rust error and a Python exception class with its fields.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{ItemStruct, LitStr, Path};

use crate::diagnostics::Diagnostics;
use crate::words::{parse_item, parse_words, runtime_path};

pub(crate) fn exception(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let mut runtime: Option<Path> = None;
    let mut module: Option<LitStr> = None;
    for word in parse_words(words, &["module", "crate"], &diagnostics) {
        match word.name.to_string().as_str() {
            "module" => module = word.value("module = \"python.module\"", &diagnostics),
            _ => runtime = word.value("crate = path", &diagnostics),
        }
    }
    let form =
        "an exception is a struct with its fields: write `struct Name { message: String, … }`";
    let Some(item) = parse_item::<ItemStruct>(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let says_what = check_message(&item, &diagnostics);
    let module = module.map_or_else(
        || std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "builtins".into()),
        |module| module.value(),
    );
    let mut tokens = expand(&item, &module, &runtime_path(runtime), says_what);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

fn check_message(item: &ItemStruct, diagnostics: &Diagnostics) -> bool {
    let message = format_ident!("message");
    let has_message = item
        .fields
        .iter()
        .any(|field| field.ident.as_ref() == Some(&message));
    if !has_message {
        diagnostics.at(
            &item.ident,
            "an exception says what is wrong: add a field `message: String`",
        );
    }
    has_message
}

fn expand(item: &ItemStruct, module: &str, runtime: &TokenStream, says_what: bool) -> TokenStream {
    let ident = &item.ident;
    // Without one that mistake is told; nothing else is to be wrong because of it.
    let message = match says_what {
        true => quote!(&self.message),
        false => quote!(""),
    };
    let pyo3 = format!("{runtime}::pyo3").replace(' ', "");
    quote! {
        #runtime::__either! {
            {
                #[#runtime::pyo3::pyclass(
                    extends = #runtime::python::Error, frozen, get_all, subclass, module = #module, crate = #pyo3
                )]
                #[derive(::core::fmt::Debug)]
                #item

                impl #runtime::error::LibraryError for #ident {
                    fn raise(
                        self: ::std::boxed::Box<Self>,
                        py: #runtime::pyo3::Python<'_>,
                    ) -> #runtime::pyo3::PyErr {
                        let message = ::std::string::ToString::to_string(&*self);
                        #runtime::python::exceptions::raise(py, &message, *self)
                    }
                }
            }
            {
                #[derive(::core::fmt::Debug)]
                #item

                impl #runtime::error::LibraryError for #ident {}
            }
        }

        impl ::core::fmt::Display for #ident {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(#message, f)
            }
        }

        impl ::core::error::Error for #ident {}
    }
}

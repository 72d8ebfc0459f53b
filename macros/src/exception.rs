//! `#[exception]`: a struct that is both a Rust error and a Python exception class with its fields.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Field, Fields, ItemStruct, LitStr, Path};

use crate::diagnostics::Diagnostics;
use crate::words::{class_of, module_name, parse_item, parse_words, runtime_path};

pub(crate) fn exception(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let mut runtime: Option<Path> = None;
    let mut module: Option<LitStr> = None;
    let mut base: Option<Path> = None;
    for word in parse_words(words, &["extends", "module", "crate"], &diagnostics) {
        match word.name.to_string().as_str() {
            "extends" => base = word.value("extends = OtherException", &diagnostics),
            "module" => module = word.value("module = \"python.module\"", &diagnostics),
            _ => runtime = word.value("crate = path", &diagnostics),
        }
    }
    let form =
        "an exception is a struct with its fields: write `struct Name { message: String, … }`";
    let Some(item) = parse_item::<ItemStruct>(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let says_what = check_message(&item, base.as_ref(), &diagnostics);
    let module = module_name(module);
    let exception = Exception {
        item,
        base,
        module,
        runtime: runtime_path(runtime),
        says_what,
    };
    let mut tokens = exception.expand();
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// An exception has its message from a field, or from the exception that it extends.
fn check_message(item: &ItemStruct, base: Option<&Path>, diagnostics: &Diagnostics) -> bool {
    let has = |name: &str| {
        let mut names = item.fields.iter().filter_map(|field| field.ident.as_ref());
        names.any(|field| field == name)
    };
    let (name, mistake) = match base {
        None => (
            "message",
            "an exception says what is wrong: add a field `message: String`".to_owned(),
        ),
        Some(base) => (
            "base",
            format!(
                "what it has from the exception that it extends stands in a field: add `base: {}`",
                quote!(#base)
            ),
        ),
    };
    let says_what = matches!(item.fields, Fields::Named(_)) && has(name);
    if !says_what {
        diagnostics.at(&item.ident, mistake);
    }
    says_what
}

struct Exception {
    item: ItemStruct,
    base: Option<Path>,
    module: String,
    runtime: TokenStream,
    says_what: bool,
}

impl Exception {
    fn expand(&self) -> TokenStream {
        let Exception { item, runtime, .. } = self;
        let ident = &item.ident;
        // Without one that mistake is told; nothing else is to be wrong because of it.
        let message = match (self.says_what, &self.base) {
            (false, _) => quote!(""),
            (true, None) => quote!(&self.message),
            (true, Some(_)) => quote!(&self.base),
        };
        let library_error = match self.says_what {
            true => self.expand_python(),
            false => quote! {
                impl #runtime::error::LibraryError for #ident {
                    #runtime::__python! {
                        fn raise(
                            self: ::std::boxed::Box<Self>,
                            _: #runtime::pyo3::Python<'_>,
                        ) -> #runtime::pyo3::PyErr {
                            ::core::unimplemented!()
                        }
                    }
                }
            },
        };
        let base = self.base.as_ref().filter(|_| self.says_what).map(|base| {
            quote! {
                impl ::core::ops::Deref for #ident {
                    type Target = #base;

                    fn deref(&self) -> &#base {
                        &self.base
                    }
                }
            }
        });
        quote! {
            #[derive(::core::fmt::Debug)]
            #item

            #library_error
            #base

            impl ::core::fmt::Display for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::fmt::Display::fmt(#message, f)
                }
            }

            impl ::core::error::Error for #ident {}
        }
    }

    /// The class in Python, which holds the fields that are not the base's.
    fn expand_python(&self) -> TokenStream {
        let Exception {
            item,
            runtime,
            module,
            ..
        } = self;
        let (ident, visibility, generics) = (&item.ident, &item.vis, &item.generics);
        let class = format_ident!("{ident}Class");
        let name = ident.to_string();
        let documentation = item
            .attrs
            .iter()
            .filter(|attribute| attribute.path().is_ident("doc"));
        let own: Vec<&Field> = item
            .fields
            .iter()
            .filter(|field| self.base.is_none() || !field.ident.as_ref().is_some_and(is_base))
            .collect();
        let names: Vec<&Ident> = own
            .iter()
            .filter_map(|field| field.ident.as_ref())
            .collect();
        let extends = match &self.base {
            Some(base) => class_of(base),
            None => quote!(#runtime::python::Error),
        };
        let initializer = match &self.base {
            Some(_) => quote!(#runtime::python::exceptions::Exception::initializer(self.base)),
            None => quote! {
                <#runtime::pyo3::PyClassInitializer<_> as ::core::convert::From<_>>::from(#runtime::python::Error)
            },
        };
        let pyo3 = format!("{runtime}::pyo3").replace(' ', "");
        quote! {
            #runtime::__either! {
                {
                    #(#documentation)*
                    #[#runtime::pyo3::pyclass(
                        extends = #extends, frozen, get_all, subclass, name = #name, module = #module, crate = #pyo3
                    )]
                    #[derive(::core::fmt::Debug)]
                    #visibility struct #class #generics { #(#own),* }

                    impl #runtime::python::exceptions::Exception for #ident {
                        type Class = #class;

                        fn initializer(self) -> #runtime::pyo3::PyClassInitializer<#class> {
                            #initializer.add_subclass(#class { #(#names: self.#names),* })
                        }
                    }

                    #[doc(hidden)]
                    #[allow(dead_code, reason = "only read where the type is exported")]
                    impl #ident {
                        pub const _PYO3_DEF: #runtime::pyo3::impl_::pymodule::AddClassToModule<#class> = #class::_PYO3_DEF;
                        pub const _PYO3_INTROSPECTION_ID: &'static ::core::primitive::str = #class::_PYO3_INTROSPECTION_ID;
                    }

                    impl #runtime::error::LibraryError for #ident {
                        fn raise(
                            self: ::std::boxed::Box<Self>,
                            py: #runtime::pyo3::Python<'_>,
                        ) -> #runtime::pyo3::PyErr {
                            #runtime::python::exceptions::raise(py, *self)
                        }
                    }
                }
                {
                    impl #runtime::error::LibraryError for #ident {}
                }
            }
        }
    }
}

fn is_base(name: &Ident) -> bool {
    name == "base"
}

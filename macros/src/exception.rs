//! `#[exception]`: a struct that is both a Rust error and a Python exception class with its fields.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Field, Fields, ItemStruct, Path, Token};

use crate::attr::{CommonArgs, parse_item};
use crate::diagnostics::Diagnostics;
use crate::docs::doc_attributes;
use crate::pyo3::{class_path, crate_path, export_class, export_exception};

pub(crate) fn exception(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let allowed = ["extends", "module", "crate"];
    let (common, args) = CommonArgs::parse(args, &allowed, &diagnostics);
    let mut extends = Extends::default();
    for arg in args {
        let form = "extends = OtherException";
        extends = arg.value(form, &diagnostics).unwrap_or_default();
    }
    let Extends { mut paths } = extends;
    let python_bases: Vec<Path> = paths.extract_if(.., |path| is_of_pyo3(path)).collect();
    for base in &python_bases {
        check_python_base(base, &diagnostics);
    }
    let mut paths = paths.into_iter();
    let base = paths.next();
    if let Some(second) = paths.next() {
        diagnostics.at(
            second,
            "an exception extends one other `#[exception]`: remove this one",
        );
    }
    let form =
        "an exception is a struct with named fields: write `struct Name { message: String, … }`";
    let Some(item) = parse_item::<ItemStruct>(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let has_message = check_message(&item, base.as_ref(), &diagnostics);
    check_os_error(&item, &python_bases, base.is_some(), &diagnostics);
    let exception = Exception {
        item,
        base,
        python_bases,
        module: common.module(),
        runtime: common.runtime(),
        has_message,
    };
    let mut tokens = exception.expand();
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// The value of `extends`: one path, or several in parentheses.
#[derive(Default)]
struct Extends {
    paths: Vec<Path>,
}

impl Parse for Extends {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if !input.peek(syn::token::Paren) {
            return Ok(Extends {
                paths: vec![input.parse()?],
            });
        }
        let content;
        syn::parenthesized!(content in input);
        let paths = Punctuated::<Path, Token![,]>::parse_terminated(&content)?;
        Ok(Extends {
            paths: paths.into_iter().collect(),
        })
    }
}

/// The built-in exceptions whose objects have nothing but what each exception has, so that a class can have them as a
/// second base.
const PYTHON_BASES: [&str; 15] = [
    "PyArithmeticError",
    "PyAssertionError",
    "PyBufferError",
    "PyEOFError",
    "PyFloatingPointError",
    "PyIndexError",
    "PyKeyError",
    "PyLookupError",
    "PyNotImplementedError",
    "PyOverflowError",
    "PyReferenceError",
    "PyRuntimeError",
    "PyTypeError",
    "PyValueError",
    "PyZeroDivisionError",
];

/// The built-in exceptions below `OSError`.
const OS_ERRORS: [&str; 17] = [
    "PyOSError",
    "PyBlockingIOError",
    "PyBrokenPipeError",
    "PyChildProcessError",
    "PyConnectionAbortedError",
    "PyConnectionError",
    "PyConnectionRefusedError",
    "PyConnectionResetError",
    "PyFileExistsError",
    "PyFileNotFoundError",
    "PyIOError",
    "PyInterruptedError",
    "PyIsADirectoryError",
    "PyNotADirectoryError",
    "PyPermissionError",
    "PyProcessLookupError",
    "PyTimeoutError",
];

/// Returns `true` for an exception below `OSError`.
fn is_os_error(base: &Path) -> bool {
    let last = base.segments.last().map(|last| last.ident.to_string());
    last.is_some_and(|name| OS_ERRORS.contains(&name.as_str()))
}

/// Checks that an `OSError` has a number.
fn check_os_error(
    item: &ItemStruct,
    python_bases: &[Path],
    extends: bool,
    diagnostics: &Diagnostics,
) {
    let mut names = item.fields.iter().filter_map(|field| field.ident.as_ref());
    let has_number = names.any(|field| field == "errno");
    if let Some(base) = python_bases.iter().find(|base| is_os_error(base))
        && !has_number
        && !extends
    {
        diagnostics.at(
            base,
            "an `OSError` has a number: add a field `errno: i32`, and `filename: Option<String>` where there is a file",
        );
    }
}

/// Returns `true` for the name of a type of PyO3.
fn is_of_pyo3(path: &Path) -> bool {
    path.segments.iter().any(|segment| segment.ident == "pyo3")
        || path
            .segments
            .last()
            .is_some_and(|last| last.ident.to_string().starts_with("Py"))
}

/// Refuses built-in exceptions that cannot be a second base.
fn check_python_base(base: &Path, diagnostics: &Diagnostics) {
    let name = base
        .segments
        .last()
        .map(|last| last.ident.to_string())
        .unwrap_or_default();
    if !PYTHON_BASES.contains(&name.as_str()) && !is_os_error(base) {
        let known = PYTHON_BASES.map(|name| format!("`{name}`")).join(", ");
        diagnostics.at(
            base,
            format!(
                "`{name}` cannot be a second base, because its objects hold more than a message: write one of {known}, or \
                 `PyOSError` or an exception below that"
            ),
        );
    }
}

/// Checks that the exception has its message: the field `message`, or the field `base` with the
/// exception that it extends. Returns `true` if so.
fn check_message(item: &ItemStruct, base: Option<&Path>, diagnostics: &Diagnostics) -> bool {
    let has = |name: &str| {
        let mut names = item.fields.iter().filter_map(|field| field.ident.as_ref());
        names.any(|field| field == name)
    };
    let (name, mistake) = match base {
        None => (
            "message",
            "an exception needs a message: add a field `message: String`".to_owned(),
        ),
        Some(base) => (
            "base",
            format!(
                "an exception holds the exception that it extends in a field: add `base: {}`",
                quote!(#base)
            ),
        ),
    };
    let has_message = matches!(item.fields, Fields::Named(_)) && has(name);
    if !has_message {
        diagnostics.at(&item.ident, mistake);
    }
    has_message
}

struct Exception {
    item: ItemStruct,
    base: Option<Path>,
    /// Built-in exceptions, by the names of their types in PyO3.
    python_bases: Vec<Path>,
    module: String,
    runtime: TokenStream,
    has_message: bool,
}

impl Exception {
    fn expand(&self) -> TokenStream {
        let Exception { item, runtime, .. } = self;
        let ident = &item.ident;
        // A missing message is reported by `check_message`, and must not cause other errors.
        let message = match (self.has_message, &self.base) {
            (false, _) => quote!(""),
            (true, None) => quote!(&self.message),
            (true, Some(_)) => quote!(&self.base),
        };
        let library_error = match self.has_message {
            true => self.expand_python(),
            false => quote! {
                impl #runtime::__private::error::LibraryError for #ident {
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
        let base = self.base.as_ref().filter(|_| self.has_message).map(|base| {
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

    /// The Python class. The fields are stored in the `__dict__` of the object, as those of an
    /// exception written in Python are, so that copying and pickling find them. The class has a
    /// property for each field.
    fn expand_python(&self) -> TokenStream {
        let Exception {
            item,
            runtime,
            module,
            ..
        } = self;
        let (ident, visibility) = (&item.ident, &item.vis);
        let class = format_ident!("{ident}Class");
        let name = ident.to_string();
        let documentation = doc_attributes(&item.attrs);
        let own = self.own_fields();
        let names: Vec<String> = own.iter().map(|field| field.name.clone()).collect();
        let idents = own.iter().map(|field| field.ident);
        let getters = own.iter().map(|field| field.expand_getter(runtime));
        let init = self.expand_init(&own);
        let signature = match self.base {
            _ if init.is_none() => "(*args, **kwargs)".to_owned(),
            Some(_) => format!("(*args, {}, **kwargs)", with_defaults(&names)),
            None => {
                let others: Vec<&String> = names.iter().filter(|name| *name != "message").collect();
                match with_defaults(&others) {
                    others if others.is_empty() => "(message)".to_owned(),
                    others => format!("(message, {others})"),
                }
            }
        };
        let (extends, initializer, base) = match &self.base {
            Some(base) => (
                class_path(base),
                quote!(<#base as #runtime::__private::python::exceptions::Exception>::initializer()),
                Some(
                    quote!(#runtime::__private::python::exceptions::Exception::fill(self.base, __fields)?;),
                ),
            ),
            None => (
                quote!(#runtime::__private::python::Error),
                quote! {
                    <#runtime::pyo3::PyClassInitializer<_> as ::core::convert::From<_>>::from(#runtime::__private::python::Error)
                },
                None,
            ),
        };
        let pyo3 = crate_path(runtime);
        let export = match self.python_bases.is_empty() && self.base.is_none() {
            true => export_class(runtime, ident, &class),
            false => export_exception(runtime, ident, &class),
        };
        let python_bases = (!self.python_bases.is_empty()).then(|| {
            let bases = &self.python_bases;
            quote! {
                fn python_bases<'py>(
                    py: #runtime::pyo3::Python<'py>,
                ) -> ::std::vec::Vec<#runtime::pyo3::Bound<'py, #runtime::pyo3::types::PyType>> {
                    ::std::vec![#(py.get_type::<#bases>()),*]
                }
            }
        });
        let is_os_error = self.python_bases.iter().any(is_os_error);
        let exceptions = quote!(#runtime::__private::python::exceptions);
        let (is_os_error, base_class) = match &self.base {
            None => (quote!(#is_os_error), None),
            Some(base) => (
                quote!(#is_os_error || <#base as #exceptions::Exception>::IS_OS_ERROR),
                Some(quote! {
                    fn base_class<'py>(
                        py: #runtime::pyo3::Python<'py>,
                    ) -> #runtime::pyo3::PyResult<::core::option::Option<
                        #runtime::pyo3::Bound<'py, #runtime::pyo3::types::PyType>
                    >> {
                        #exceptions::class_of::<#base>(py).map(::core::option::Option::Some)
                    }
                }),
            ),
        };
        quote! {
            #runtime::__either! {
                {
                    #(#documentation)*
                    #[#runtime::pyo3::pyclass(
                        extends = #extends, frozen, subclass, name = #name, module = #module, crate = #pyo3
                    )]
                    #[derive(::core::fmt::Debug)]
                    #visibility struct #class {}

                    #[#runtime::pyo3::pymethods]
                    #[pyo3(crate = #pyo3)]
                    impl #class {
                        #[new]
                        #[pyo3(
                            signature = (*args: "object", **kwargs: "object"),
                            text_signature = #signature
                        )]
                        fn __make(
                            args: &#runtime::pyo3::Bound<'_, #runtime::pyo3::types::PyTuple>,
                            kwargs: ::core::option::Option<&#runtime::pyo3::Bound<'_, #runtime::pyo3::types::PyDict>>,
                        ) -> #runtime::pyo3::PyClassInitializer<Self> {
                            // The arguments are for `__init__`, which a subclass may override.
                            let _ = (args, kwargs);
                            <#ident as #runtime::__private::python::exceptions::Exception>::initializer()
                        }

                        #init
                        #(#getters)*
                    }

                    impl #runtime::__private::python::exceptions::Exception for #ident {
                        type Class = #class;

                        const IS_OS_ERROR: ::core::primitive::bool = #is_os_error;

                        #python_bases
                        #base_class

                        fn cell() -> &'static #exceptions::ClassCell {
                            static CELL: #exceptions::ClassCell = #exceptions::ClassCell::new();
                            &CELL
                        }

                        fn initializer() -> #runtime::pyo3::PyClassInitializer<#class> {
                            #initializer.add_subclass(#class {})
                        }

                        fn fill(
                            self,
                            __fields: &#runtime::pyo3::Bound<'_, #runtime::pyo3::types::PyDict>,
                        ) -> #runtime::pyo3::PyResult<()> {
                            #base
                            #(#runtime::__private::python::exceptions::set_field(__fields, #names, self.#idents)?;)*
                            ::core::result::Result::Ok(())
                        }
                    }

                    #export

                    impl #runtime::__private::error::LibraryError for #ident {
                        fn raise(
                            self: ::std::boxed::Box<Self>,
                            py: #runtime::pyo3::Python<'_>,
                        ) -> #runtime::pyo3::PyErr {
                            #runtime::__private::python::exceptions::raise(py, *self)
                        }
                    }
                }
                {
                    impl #runtime::__private::error::LibraryError for #ident {}
                }
            }
        }
    }

    /// The fields besides `base`.
    fn own_fields(&self) -> Vec<OwnField<'_>> {
        let fields = self.item.fields.iter();
        fields
            .filter_map(|field| Some((field, field.ident.as_ref()?)))
            .filter(|(_, ident)| self.base.is_none() || !is_base(ident))
            .map(|(field, ident)| OwnField {
                field,
                ident,
                name: ident.unraw().to_string(),
            })
            .collect()
    }

    /// The method `__init__`, for exceptions that Python code creates. It takes the message, then
    /// the fields. An exception that extends another one takes its own fields by keyword and passes
    /// all other arguments on; without own fields it needs no `__init__`.
    fn expand_init(&self, own: &[OwnField<'_>]) -> Option<TokenStream> {
        let runtime = &self.runtime;
        let is_message = |field: &&OwnField<'_>| self.base.is_none() && field.name == "message";
        let message = own.iter().find(is_message);
        let others: Vec<&OwnField<'_>> = own.iter().filter(|field| !is_message(field)).collect();
        let parameters = message.into_iter().chain(others.iter().copied());
        let parameters = parameters.map(|OwnField { ident, field, .. }| {
            let ty = &field.ty;
            quote!(#ident: #runtime::__private::python::exceptions::FieldArgument<'py, #ty>)
        });
        let stores = own.iter().map(|OwnField { ident, field, name }| {
            let ty = &field.ty;
            quote! {
                #ident.store(&__fields, #name, || {
                    #[allow(unused_imports, reason = "needed where the type has no default")]
                    use #runtime::__private::python::exceptions::NoDefault as _;
                    #runtime::__private::python::exceptions::DefaultOf::<#ty>::new().value()
                })?;
            }
        });
        let missing = quote!(#runtime::__private::python::exceptions::FieldArgument::missing());
        let defaults: Vec<TokenStream> = others
            .iter()
            .map(|OwnField { ident, .. }| quote!(#ident = #missing))
            .collect();
        Some(match (&self.base, message) {
            (Some(_), _) if others.is_empty() => return None,
            (None, None) => return None,
            (Some(base), _) => {
                let base = class_path(base);
                quote! {
                    #[pyo3(signature = (*args: "object", #(#defaults,)* **kwargs: "object"))]
                    fn __init__<'py>(
                        slf: &#runtime::pyo3::Bound<'py, Self>,
                        args: &#runtime::pyo3::Bound<'py, #runtime::pyo3::types::PyTuple>,
                        #(#parameters,)*
                        kwargs: ::core::option::Option<&#runtime::pyo3::Bound<'py, #runtime::pyo3::types::PyDict>>,
                    ) -> #runtime::pyo3::PyResult<()> {
                        let __fields = #runtime::__private::python::exceptions::init_base::<#base>(slf.as_any(), args, kwargs)?;
                        #(#stores)*
                        ::core::result::Result::Ok(())
                    }
                }
            }
            (None, Some(OwnField { ident: message, .. })) => quote! {
                #[pyo3(signature = (#message, #(#defaults),*))]
                fn __init__<'py>(
                    slf: &#runtime::pyo3::Bound<'py, Self>,
                    #(#parameters),*
                ) -> #runtime::pyo3::PyResult<()> {
                    let __fields = #runtime::__private::python::exceptions::init(slf.as_any(), &#message)?;
                    #(#stores)*
                    ::core::result::Result::Ok(())
                }
            },
        })
    }
}

/// A field with its name in Python.
struct OwnField<'a> {
    field: &'a Field,
    ident: &'a Ident,
    name: String,
}

impl OwnField<'_> {
    fn expand_getter(&self, runtime: &TokenStream) -> TokenStream {
        let OwnField { field, name, .. } = self;
        let getter = format_ident!("__get_{name}");
        let python = format_ident!("{name}");
        let ty = &field.ty;
        let documentation = doc_attributes(&field.attrs);
        quote! {
            #(#documentation)*
            #[getter(#python)]
            fn #getter<'py>(
                slf: &#runtime::pyo3::Bound<'py, Self>,
            ) -> #runtime::pyo3::PyResult<#runtime::__private::python::exceptions::FieldOf<'py, #ty>> {
                #runtime::__private::python::exceptions::field(slf.as_any(), #name)
            }
        }
    }
}

/// Returns `a=..., b=...`, for a text signature.
fn with_defaults(names: &[impl AsRef<str>]) -> String {
    let names = names.iter().map(|name| format!("{}=...", name.as_ref()));
    names.collect::<Vec<_>>().join(", ")
}

fn is_base(name: &Ident) -> bool {
    name == "base"
}

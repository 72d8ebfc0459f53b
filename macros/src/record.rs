//! `#[record]`: a C struct that is copied as a value, in Rust and in Python.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Attribute, Fields, ItemStruct, Type};

use crate::attr::{CommonArgs, TargetAndArgs, parse_item};
use crate::diagnostics::Diagnostics;
use crate::docs::HeaderComment;
use crate::field_path::FieldPath;
use crate::pyo3::crate_path;
use crate::span::respanned;
use crate::types::inspect::type_name;

pub(crate) fn record(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "a record is a struct with the fields of the C struct: write `struct Name { x: f64, \
     … }`";
    let Some(item) = parse_item::<ItemStruct>(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    const EXAMPLE: &str = "#[record(ffi::the_struct)]";
    let parsed = match args.is_empty() {
        true => {
            diagnostics.at(
                &item.ident,
                format!("the C struct is missing: write `{EXAMPLE}`"),
            );
            None
        }
        false => TargetAndArgs::<Type>::of(args, EXAMPLE, &diagnostics),
    };
    let Some(parsed) = parsed else {
        return diagnostics.into_tokens();
    };
    let allowed = ["name", "module", "crate"];
    let (common, _) = CommonArgs::parse(parsed.args, &allowed, &diagnostics);
    let fields = fields(&item, &diagnostics);
    if !diagnostics.is_empty() {
        return diagnostics.into_tokens();
    }
    let record = Record {
        fields,
        name: common.name(&item.ident),
        module: common.module(),
        raw: parsed.target,
        runtime: common.runtime(),
        item: &item,
    };
    let mut tokens = record.expand();
    tokens.extend(diagnostics.into_tokens());
    tokens
}

struct Record<'a> {
    item: &'a ItemStruct,
    raw: Type,
    fields: Vec<Field<'a>>,
    name: String,
    module: String,
    runtime: TokenStream,
}

struct Field<'a> {
    attributes: Vec<&'a Attribute>,
    name: &'a Ident,
    ty: &'a Type,
    place: FieldPath,
}

fn fields<'a>(item: &'a ItemStruct, diagnostics: &Diagnostics) -> Vec<Field<'a>> {
    let Fields::Named(named) = &item.fields else {
        diagnostics.at(
            &item.ident,
            "a record has named fields: write `struct Name { x: f64, … }`",
        );
        return Vec::new();
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let Some(name) = &field.ident else { continue };
        let mut place: FieldPath = syn::parse_quote!(#name);
        let mut attributes = Vec::new();
        for attribute in &field.attrs {
            if attribute.path().is_ident("field") {
                place = diagnostics
                    .ok(attribute.parse_args())
                    .unwrap_or_else(|| syn::parse_quote!(#name));
            } else {
                attributes.push(attribute);
            }
        }
        check_type(&field.ty, diagnostics);
        fields.push(Field {
            attributes,
            name,
            ty: &field.ty,
            place,
        });
    }
    if fields.is_empty() {
        diagnostics.at(
            &item.ident,
            "a record needs fields: list the fields of the C struct that \
         you need",
        );
    }
    fields
}

/// Refuses field types that own or point to something. rustc refuses all other types that are not
/// plain.
fn check_type(ty: &Type, diagnostics: &Diagnostics) {
    const OTHERS: &[&str] = &[
        "Borrowed", "Box", "Bytes", "CString", "Option", "Owned", "String", "Vec",
    ];
    let other = match ty {
        Type::Path(path) => path
            .path
            .segments
            .last()
            .is_some_and(|segment| OTHERS.iter().any(|other| segment.ident == other)),
        Type::Reference(_) | Type::Ptr(_) => true,
        _ => false,
    };
    if other {
        diagnostics.at(
            ty,
            "a record is a copy of plain values: its fields are numbers, `bool`, `[u8; N]`, enums, flags and \
             other records",
        );
    }
}

impl Record<'_> {
    fn expand(&self) -> TokenStream {
        let Record {
            item, raw, runtime, ..
        } = self;
        let (attributes, visibility, ident) = (&item.attrs, &item.vis, &item.ident);
        let comment = match raw {
            Type::Path(raw) => HeaderComment::of(attributes, &raw.path),
            _ => HeaderComment::none(),
        };
        let comment = comment.for_rust();
        let pyo3 = crate_path(runtime);
        let (name, module) = (&self.name, &self.module);
        let (names, types): (Vec<_>, Vec<_>) = self
            .fields
            .iter()
            .map(|field| (field.name, field.ty))
            .unzip();
        let set = self.fields.iter().map(|Field { name, place, .. }| {
            let field = place.within(&quote!(raw));
            let set = quote!(#field = #runtime::__private::to_c::IntoC::into_c(#name););
            respanned(set, place.span())
        });
        let getters = self.fields.iter().map(|field| {
            let Field {
                attributes,
                name,
                ty,
                place,
            } = field;
            let place = respanned(place.within(&quote!(self.0)), place.span());
            let value =
                quote_spanned!(ty.span()=> #runtime::__private::from_c::plain::<#ty, _>(#place));
            quote! {
                #(#attributes)*
                #[allow(dead_code, reason = "callers may need it")]
                pub fn #name(&self) -> #ty {
                    #value
                }
            }
        });
        let debug = names
            .iter()
            .map(|name| quote!(.field(::core::stringify!(#name), &self.#name())));
        let equal = names
            .iter()
            .map(|name| quote!(&& self.#name() == other.#name()));
        let python = self.expand_python();
        let check = self.expand_pointer_check();
        let struct_name = ident.to_string();
        let new_documentation = format!(
            "Returns a `{ident}` with these values. All other fields of the C struct are \
             zero."
        );
        quote! {
            #check

            #runtime::__either! {
                {
                    #(#attributes)*
                    #comment
                    #[#runtime::pyo3::pyclass(
                        frozen, from_py_object, name = #name, module = #module, crate = #pyo3
                    )]
                    #[derive(::core::clone::Clone, ::core::marker::Copy)]
                    #[repr(transparent)]
                    #visibility struct #ident(#raw);
                }
                {
                    #(#attributes)*
                    #comment
                    #[derive(::core::clone::Clone, ::core::marker::Copy)]
                    #[repr(transparent)]
                    #visibility struct #ident(#raw);
                }
            }

            impl #ident {
                #[doc = #new_documentation]
                #[allow(clippy::too_many_arguments, dead_code, reason = "the C struct has as many \
                 fields")]
                pub fn new(#(#names: #types),*) -> Self {
                    let mut raw = <#raw as ::core::default::Default>::default();
                    #(#set)*
                    #ident(raw)
                }

                #(#getters)*
            }

            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    f.debug_struct(#struct_name)#(#debug)*.finish()
                }
            }

            impl ::core::cmp::PartialEq for #ident {
                fn eq(&self, other: &Self) -> ::core::primitive::bool {
                    true #(#equal)*
                }
            }

            // SAFETY: Rust: the record is a transparent wrapper of C's struct, so its address is
            // that of the struct.
            unsafe impl #runtime::__private::to_c::IntoC<*const #raw> for &#ident {
                fn into_c(self) -> *const #raw {
                    &raw const self.0
                }
            }

            // SAFETY: Rust: the value is C's own struct.
            unsafe impl #runtime::__private::to_c::IntoC<#raw> for #ident {
                fn into_c(self) -> #raw {
                    self.0
                }
            }

            // SAFETY: guarantee 15: the fields that can be read are plain, and own nothing.
            unsafe impl #runtime::__private::from_c::FromC<'_, #raw> for #ident {
                unsafe fn from_c(c: #raw) -> ::core::option::Option<Self> {
                    ::core::option::Option::Some(#ident(c))
                }
            }

            // With a single implementation, rustc infers its type parameter; with two, it reports
            // the missing one.
            // SAFETY: Rust: `Never` has no values.
            unsafe impl #runtime::__private::from_c::FromC<'_, #runtime::__private::to_c::Never> for #ident {
                unsafe fn from_c(c: #runtime::__private::to_c::Never) -> ::core::option::Option<Self> {
                    match c {}
                }
            }

            // SAFETY: Rust: `Never` has no values.
            unsafe impl #runtime::__private::to_c::IntoC<#runtime::__private::to_c::Never> for &#ident {
                fn into_c(self) -> #runtime::__private::to_c::Never {
                    ::core::unreachable!()
                }
            }

            // SAFETY: Rust: `Never` has no values.
            unsafe impl #runtime::__private::to_c::IntoC<#runtime::__private::to_c::Never> for #ident {
                fn into_c(self) -> #runtime::__private::to_c::Never {
                    ::core::unreachable!()
                }
            }

            // SAFETY: guarantee 15: the fields that can be read are plain, and zeros are values of
            // them; C's struct is `Copy`, so it owns nothing.
            unsafe impl #runtime::__private::out_param::ByValue for #ident {}
            // SAFETY: guarantee 15: the fields that can be read are plain, and C's struct is
            // `Copy`.
            unsafe impl #runtime::__private::from_c::Plain for #ident {}
            // SAFETY: guarantee 15: the fields that can be read are plain: there is no handle and
            // no reference among them.
            unsafe impl #runtime::__private::shape::Form<#runtime::__private::shape::Value> for #ident {}

            #python
        }
    }

    /// Refuses a C struct with pointers. The record implements `Send` and `Sync` by hand, so that rustc does not report
    /// the same mistake once more, about PyO3's class.
    fn expand_pointer_check(&self) -> TokenStream {
        let Record {
            item, raw, runtime, ..
        } = self;
        let ident = &item.ident;
        let message = format!(
            "`{ident}` cannot be a record: a record is a copy of plain values, and the C struct `{raw}` holds a pointer, whose \
             memory a copy does not own. Write a handle, `#[handle(raw = {raw}, …)]`, and read the fields that you need by \
             methods with `#[field]`",
            raw = type_name(raw),
        );
        let check = quote! {
            const _: () = {
                #[allow(unused_imports, reason = "a struct without pointers does not need it")]
                use #runtime::__private::shape::HoldsPointer as _;
                ::core::assert!(!#runtime::__private::shape::CStruct::<#raw>::HOLDS_POINTER, #message);
            };
        };
        let check = respanned(check, raw.span());
        quote! {
            #check
            // SAFETY: Rust: the assertion above: C's struct is `Send`.
            unsafe impl ::core::marker::Send for #ident {}
            // SAFETY: Rust: the assertion above: C's struct is `Sync`.
            unsafe impl ::core::marker::Sync for #ident {}
        }
    }

    fn expand_python(&self) -> TokenStream {
        let Record { item, runtime, .. } = self;
        let ident = &item.ident;
        let pyo3 = crate_path(runtime);
        let (names, types): (Vec<_>, Vec<_>) = self
            .fields
            .iter()
            .map(|field| (field.name, field.ty))
            .unzip();
        let getters = self.fields.iter().map(|field| {
            let Field {
                attributes,
                name,
                ty,
                ..
            } = field;
            let documentation = attributes
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"));
            let (getter, python) = (format_ident!("__get_{name}"), format_ident!("{name}"));
            quote! {
                #(#documentation)*
                #[getter(#python)]
                fn #getter(&self) -> #ty {
                    self.#name()
                }
            }
        });
        quote! {
            #runtime::__python! {
                #[#runtime::pyo3::pymethods]
                #[pyo3(crate = #pyo3)]
                impl #ident {
                    #[new]
                    #[allow(clippy::too_many_arguments, reason = "the C struct has as many fields")]
                    fn __new(#(#names: #types),*) -> Self {
                        #ident::new(#(#names),*)
                    }

                    #(#getters)*

                    fn __eq__(&self, other: &Self) -> ::core::primitive::bool {
                        self == other
                    }

                    fn __hash__(
                        slf: &#runtime::pyo3::Bound<'_, Self>,
                    ) -> #runtime::pyo3::PyResult<::core::primitive::isize> {
                        #runtime::__private::python::records::hash(slf.as_any(), &[#(::core::stringify!(#names)),*])
                    }

                    fn __repr__(
                        slf: &#runtime::pyo3::Bound<'_, Self>,
                    ) -> #runtime::pyo3::PyResult<::std::string::String> {
                        #runtime::__private::python::records::repr(slf.as_any(), &[#(::core::stringify!(#names)),*])
                    }
                }

                impl #runtime::__private::python::extract::PyArgument for #ident {
                    type Holder<'a, 'py> = #runtime::pyo3::Borrowed<'a, 'py, #ident>;
                    const INPUT_TYPE: #runtime::pyo3::inspect::PyStaticExpr =
                        <#ident as #runtime::pyo3::PyTypeInfo>::TYPE_HINT;

                    fn extract<'a, 'py>(
                        object: #runtime::pyo3::Borrowed<'a, 'py, #runtime::pyo3::PyAny>,
                    ) -> #runtime::pyo3::PyResult<Self::Holder<'a, 'py>> {
                        #runtime::__private::python::records::extract(object)
                    }

                    fn get<'h>(held: &'h Self::Holder<'_, '_>, _: &'h #runtime::__private::python::CallContext<'_, '_>) -> &'h Self {
                        held.get()
                    }
                }

                impl #runtime::__private::python::IntoPython for #ident {
                    const TYPE: #runtime::pyo3::inspect::PyStaticExpr =
                        <#ident as #runtime::pyo3::PyTypeInfo>::TYPE_HINT;

                    fn into_python<'a, 'py>(
                        self,
                        context: &#runtime::__private::python::CallContext<'a, 'py>,
                    ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>>
                    where
                        Self: 'a,
                    {
                        #runtime::__private::python::records::into_py(self, context)
                    }
                }
            }
        }
    }
}

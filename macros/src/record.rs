//! `#[record]`: a C struct that is copied as a value, in Rust and in Python.

mod python;

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Fields, ItemStruct, Type};

use crate::attr::{CommonArgs, TargetAndArgs, parse_args, parse_item};
use crate::diagnostics::Diagnostics;
use crate::docs::HeaderComment;
use crate::field_path::FieldPath;
use crate::methods::check::signature::KEYWORDS;
use crate::pyo3::crate_path;
use crate::span::respanned;
use crate::text::{Utf8, is_string};
use crate::types::inspect::{is_named, type_name};

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
    let allowed = ["name", "module", "partial", "ord", "crate"];
    let (common, args) = CommonArgs::parse(parsed.args, &allowed, &diagnostics);
    let (mut partial, mut ord) = (false, false);
    for arg in args {
        match arg.name == "partial" {
            true => partial = arg.flag(&diagnostics),
            false => ord = arg.flag(&diagnostics),
        }
    }
    let fields = fields(&item, &diagnostics);
    if !diagnostics.is_empty() {
        return diagnostics.into_tokens();
    }
    let record = Record {
        fields,
        name: common.name(&item.ident),
        module: common.module(),
        raw: parsed.target,
        partial,
        ord,
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
    /// Set if the record keeps the listed fields alone.
    partial: bool,
    /// Set if records are ordered by their fields.
    ord: bool,
    runtime: TokenStream,
}

struct Field<'a> {
    attributes: Vec<&'a Attribute>,
    name: &'a Ident,
    ty: &'a Type,
    place: FieldPath,
    form: Form,
}

/// The form of a field's value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// A number or another plain value.
    Plain,
    /// A `String` of an array of characters.
    Text(Utf8),
    /// A `CString` of an array of characters.
    Bytes,
}

impl Form {
    fn of(ty: &Type) -> Self {
        match ty {
            ty if is_string(ty) => Form::Text(Utf8::Strict),
            ty if is_named(ty, "CString") => Form::Bytes,
            _ => Form::Plain,
        }
    }
}

/// The words of `#[field(place, …)]`.
const FIELD_WORDS: &[&str] = &["utf8"];

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
        let mut form = Form::of(&field.ty);
        let mut attributes = Vec::new();
        for attribute in &field.attrs {
            if attribute.path().is_ident("field") {
                let parsed = diagnostics.ok(attribute.parse_args::<TargetAndArgs<FieldPath>>());
                let Some(parsed) = parsed else { continue };
                place = parsed.target;
                for arg in parse_args(parsed.args, FIELD_WORDS, diagnostics) {
                    let keyword = arg.name.clone();
                    let value = arg.value(Utf8::FORM, diagnostics);
                    match form {
                        Form::Text(_) => form = Form::Text(value.unwrap_or(Utf8::Lossy)),
                        _ => diagnostics.at(
                            keyword,
                            "`utf8` decides how a `String` is decoded: write `String`, or remove `utf8`",
                        ),
                    }
                }
            } else {
                attributes.push(attribute);
            }
        }
        check_type(&field.ty, diagnostics);
        check_name(name, diagnostics);
        fields.push(Field {
            attributes,
            name,
            ty: &field.ty,
            place,
            form,
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

/// Refuses names that cannot be those of an attribute and of a keyword argument in Python.
fn check_name(name: &Ident, diagnostics: &Diagnostics) {
    let text = name.unraw().to_string();
    if KEYWORDS.contains(&text.as_str()) {
        diagnostics.at(
            name,
            format!(
                "`{text}` is a keyword of Python, so it cannot be the name of an attribute: rename the field, and write \
                 `#[field({text})]` for its place in C"
            ),
        );
    }
}

/// Refuses field types that own or point to something. rustc refuses all other types that are not
/// plain.
fn check_type(ty: &Type, diagnostics: &Diagnostics) {
    const OTHERS: &[&str] = &["Borrowed", "Box", "Bytes", "Option", "Owned", "Vec"];
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
            "a record is a copy of plain values: its fields are numbers, `bool`, `[u8; N]`, `String` and `CString` of arrays of \
             characters, enums, flags and other records",
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
        let new = self.expand_new();
        let getters = self.fields.iter().map(|field| {
            let (attributes, name) = (&field.attributes, field.name);
            let (ty, value) = self.expand_getter(field);
            quote! {
                #(#attributes)*
                #[allow(dead_code, reason = "callers may need it")]
                pub fn #name(&self) -> #ty {
                    #value
                }
            }
        });
        let this = quote!(self);
        let debug = self.fields.iter().map(|field| {
            let (name, value) = (field.name, self.expand_value(field, &this));
            let value = match field.form {
                Form::Plain => value,
                _ => quote!(::std::string::String::from_utf8_lossy(#value)),
            };
            quote!(.field(::core::stringify!(#name), &#value))
        });
        let equal = self.fields.iter().map(|field| {
            let value = self.expand_value(field, &this);
            let other = self.expand_value(field, &quote!(other));
            quote!(&& #value == #other)
        });
        let ordered = self.expand_order();
        let conversions = self.expand_conversions();
        let python = self.expand_python();
        let check = self.expand_pointer_check();
        let places = self.fields.iter().map(|field| &field.place);
        let direct = FieldPath::expand_direct_check(places, &quote!(#raw), runtime);
        let stored = match self.partial {
            false => quote!(#raw),
            true => quote!(#runtime::__private::from_c::Partial<#raw>),
        };
        let struct_name = ident.to_string();
        quote! {
            #check
            #direct

            #runtime::__either! {
                {
                    #(#attributes)*
                    #comment
                    #[#runtime::pyo3::pyclass(
                        frozen, from_py_object, name = #name, module = #module, crate = #pyo3
                    )]
                    #[derive(::core::clone::Clone, ::core::marker::Copy)]
                    #[repr(transparent)]
                    #visibility struct #ident(#stored);
                }
                {
                    #(#attributes)*
                    #comment
                    #[derive(::core::clone::Clone, ::core::marker::Copy)]
                    #[repr(transparent)]
                    #visibility struct #ident(#stored);
                }
            }

            impl #ident {
                #new

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

            #ordered

            #conversions

            // With a single implementation, rustc infers its type parameter; with two, it reports
            // the missing one.
            // SAFETY: Rust: `Never` has no values.
            unsafe impl #runtime::__private::from_c::FromC<'_, #runtime::__private::to_c::Never> for #ident {
                unsafe fn from_c(c: #runtime::__private::to_c::Never) -> ::core::option::Option<Self> {
                    match c {}
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

    /// The function `new`. It can fail if there is text, which has to have room.
    fn expand_new(&self) -> TokenStream {
        let Record { item, runtime, .. } = self;
        let ident = &item.ident;
        let parameters = self
            .fields
            .iter()
            .map(|Field { name, ty, form, .. }| match form {
                Form::Plain => quote!(#name: #ty),
                Form::Text(_) => quote!(#name: &::core::primitive::str),
                Form::Bytes => quote!(#name: &::core::ffi::CStr),
            });
        let set = self.fields.iter().map(
            |Field {
                 name, place, form, ..
             }| {
                let field = self.expand_place(place, &quote!(raw), true);
                let text = quote!(#runtime::__private::characters::Characters::of_text);
                let value = match form {
                    Form::Plain => quote!(#runtime::__private::to_c::IntoC::into_c(#name)),
                    Form::Text(_) => quote!(#text(::core::stringify!(#name), (&#name).as_bytes())?),
                    Form::Bytes => quote!(#text(::core::stringify!(#name), (&#name).to_bytes())?),
                };
                let set = match self.partial {
                    false => quote!(#field = #value;),
                    true => quote! {
                        let value = #value;
                        // SAFETY: Rust: the struct is this one, and the value is one of the field's type.
                        unsafe { #field = value };
                    },
                };
                respanned(set, place.span())
            },
        );
        let documentation = format!(
            "Returns a `{ident}` with these values. All other fields of the C struct are zero."
        );
        let nothing = self.expand_nothing();
        let (errors, result, value) = match self.has_text() {
            false => (TokenStream::new(), quote!(Self), quote!(#ident(raw))),
            true => (
                quote! {
                    #[doc = ""]
                    #[doc = "# Errors"]
                    #[doc = ""]
                    #[doc = "[`Error::Value`](leakproof::Error::Value) for text that C's array of characters has no room for, or that holds a NUL."]
                },
                quote!(#runtime::Result<Self>),
                quote!(::core::result::Result::Ok(#ident(raw))),
            ),
        };
        quote! {
            #[doc = #documentation]
            #errors
            #[allow(clippy::too_many_arguments, dead_code, reason = "the C struct has as many fields")]
            pub fn new(#(#parameters),*) -> #result {
                let mut raw = #nothing;
                #(#set)*
                #value
            }
        }
    }

    /// The struct without values for its fields.
    fn expand_nothing(&self) -> TokenStream {
        let (raw, runtime) = (&self.raw, &self.runtime);
        match self.partial {
            false => quote!(<#raw as ::core::default::Default>::default()),
            true => quote! {
                // SAFETY: guarantee 15: only listed fields are read, which are plain, and are written next.
                unsafe { #runtime::__private::from_c::Partial::<#raw>::zeroed() }
            },
        }
    }

    /// The place of a field in what a record stores, for a statement in `unsafe` if the record is partial.
    fn expand_place(&self, place: &FieldPath, stored: &TokenStream, is_set: bool) -> TokenStream {
        let raw = match (self.partial, is_set) {
            (false, _) => stored.clone(),
            (true, false) => quote!((*(&#stored).as_ptr())),
            (true, true) => quote!((*(&mut #stored).as_mut_ptr())),
        };
        place.within(&raw)
    }

    /// The value of a field of `this`, or a reference to it.
    fn expand_read(&self, place: &FieldPath, this: &TokenStream, by: &TokenStream) -> TokenStream {
        let place = self.expand_place(place, &quote!(#this.0), false);
        match self.partial {
            false => quote!(#by #place),
            true => quote!({
                // SAFETY: guarantee 15: a listed field, which was written, and is plain.
                unsafe { #by #place }
            }),
        }
    }

    fn has_text(&self) -> bool {
        let mut fields = self.fields.iter();
        fields.any(|field| field.form != Form::Plain)
    }

    /// The type and the value of a getter.
    fn expand_getter(&self, field: &Field<'_>) -> (TokenStream, TokenStream) {
        let runtime = &self.runtime;
        let Field { ty, place, .. } = field;
        let by = match field.form {
            Form::Plain => quote!(),
            _ => quote!(&),
        };
        let place = respanned(self.expand_read(place, &quote!(self), &by), place.span());
        let characters = quote!(#runtime::__private::characters);
        match field.form {
            Form::Plain => (
                quote!(#ty),
                quote_spanned!(ty.span()=> #runtime::__private::from_c::plain::<#ty, _>(#place)),
            ),
            Form::Text(Utf8::Strict) => {
                let name = self.full_name(field);
                (
                    quote!(#runtime::Result<#ty>),
                    quote_spanned!(ty.span()=> #characters::string(#place, #name)),
                )
            }
            Form::Text(Utf8::Lossy) => (
                quote!(#ty),
                quote_spanned!(ty.span()=> #characters::string_lossy(#place)),
            ),
            Form::Bytes => (
                quote!(#ty),
                quote_spanned!(ty.span()=> #characters::c_string(#place)),
            ),
        }
    }

    fn full_name(&self, field: &Field<'_>) -> String {
        format!("{}.{}", self.item.ident, field.name)
    }

    /// The value of a field of `this` that is compared and printed: text as its bytes.
    fn expand_value(&self, field: &Field<'_>, this: &TokenStream) -> TokenStream {
        let runtime = &self.runtime;
        let Field {
            name, place, form, ..
        } = field;
        match form {
            Form::Plain => quote!(#this.#name()),
            _ => {
                let text = self.expand_read(place, this, &quote!(&));
                quote!(#runtime::__private::characters::Characters::text(#text))
            }
        }
    }

    /// The comparison of the fields in their order.
    fn expand_order(&self) -> Option<TokenStream> {
        let ident = &self.item.ident;
        let fields = self.fields.iter().map(|field| {
            let value = self.expand_value(field, &quote!(self));
            let other = self.expand_value(field, &quote!(other));
            let order = quote!(::core::cmp::PartialOrd::partial_cmp(&#value, &#other));
            let order = respanned(order, field.ty.span());
            quote! {
                match #order {
                    ::core::option::Option::Some(::core::cmp::Ordering::Equal) => {}
                    order => return order,
                }
            }
        });
        self.ord.then(|| {
            quote! {
                impl ::core::cmp::PartialOrd for #ident {
                    fn partial_cmp(&self, other: &Self) -> ::core::option::Option<::core::cmp::Ordering> {
                        #(#fields)*
                        ::core::option::Option::Some(::core::cmp::Ordering::Equal)
                    }
                }
            }
        })
    }

    /// The conversions from C's struct, and to it.
    fn expand_conversions(&self) -> TokenStream {
        let Record {
            item, raw, runtime, ..
        } = self;
        let ident = &item.ident;
        if self.partial {
            let copies = self.fields.iter().map(|Field { place, .. }| {
                let to = self.expand_place(place, &quote!(kept), true);
                let from = place.within(&quote!(c));
                quote!(#to = #from;)
            });
            let nothing = self.expand_nothing();
            return quote! {
                // SAFETY: guarantee 15: the fields that are kept are plain, and own nothing.
                unsafe impl #runtime::__private::from_c::FromC<'_, #raw> for #ident {
                    unsafe fn from_c(c: #raw) -> ::core::option::Option<Self> {
                        let mut kept = #nothing;
                        // SAFETY: Rust: the fields of one struct are copied to those of another one.
                        unsafe { #(#copies)* }
                        ::core::option::Option::Some(#ident(kept))
                    }
                }
            };
        }
        quote! {
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
        }
    }

    /// Refuses a C struct with pointers, unless the record is partial. The record implements `Send` and `Sync` by hand,
    /// so that rustc does not report the same mistake once more, about PyO3's class.
    fn expand_pointer_check(&self) -> Option<TokenStream> {
        let Record {
            item, raw, runtime, ..
        } = self;
        let ident = &item.ident;
        let message = format!(
            "`{ident}` cannot be a record: a record is a copy of plain values, and the C struct `{raw}` holds a pointer, whose \
             memory a copy does not own. Add `partial`, by which the record keeps the listed fields alone, or write a handle, \
             `#[handle(raw = {raw}, …)]`, and read the fields that you need by methods with `#[field]`",
            raw = type_name(raw),
        );
        let check = quote! {
            const _: () = {
                #[allow(unused_imports, reason = "a struct without pointers does not need it")]
                use #runtime::__private::shape::HoldsPointer as _;
                ::core::assert!(!#runtime::__private::shape::CStruct::<#raw>::HOLDS_POINTER, #message);
            };
        };
        // A partial record is `Send` and `Sync` as what it stores is.
        let check = (!self.partial).then(|| respanned(check, raw.span()))?;
        Some(quote! {
            #check
            // SAFETY: guarantee 15: C's struct is `Send` by the assertion above.
            unsafe impl ::core::marker::Send for #ident {}
            // SAFETY: guarantee 15: C's struct is `Sync` by the assertion above.
            unsafe impl ::core::marker::Sync for #ident {}
        })
    }
}

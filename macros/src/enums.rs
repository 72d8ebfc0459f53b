//! `#[int_enum]` and `#[int_flag]`: C's constants as a type of their own, in Python an
//! `enum.IntEnum` or `IntFlag`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::{Attribute, Expr, Fields, ItemEnum, Type};

use crate::attr::{CommonArgs, TargetAndArgs, parse_item};
use crate::diagnostics::Diagnostics;
use crate::docs::doc_text;
use crate::pyo3::export;
use crate::stub::{json_string, symbol};

pub(crate) fn enums(args: TokenStream, item: TokenStream, flags: bool) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = match flags {
        true => "flags are declared as an enum: write `enum Name { READ = ffi::O_READ, … }`",
        false => "constants are declared as an enum: write `enum Name { RED = ffi::RED, … }`",
    };
    let Some(item) = parse_item::<ItemEnum>(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let attribute = if flags { "int_flag" } else { "int_enum" };
    let example = format!("#[{attribute}(ffi::the_type)]");
    let parsed = match args.is_empty() {
        true => {
            diagnostics.at(
                &item.ident,
                format!("the C type is missing: write `{example}`"),
            );
            None
        }
        false => TargetAndArgs::<Type>::of(args, &example, &diagnostics),
    };
    let mut keep = false;
    let (raw, args) = match parsed {
        Some(parsed) => (parsed.target, parsed.args),
        None => (syn::parse_quote!(i32), TokenStream::new()),
    };
    let known: &[&str] = match flags {
        true => &["name", "module", "boundary", "crate"],
        false => &["name", "module", "crate"],
    };
    let (common, args) = CommonArgs::parse(args, known, &diagnostics);
    for arg in args {
        keep = check_boundary(arg.value("boundary = keep", &diagnostics), &diagnostics);
    }
    let members = members(&item, &diagnostics);
    let enumeration = Enumeration {
        name: common.name(&item.ident),
        module: common.module(),
        raw,
        flags,
        keep,
        runtime: common.runtime(),
    };
    let mut tokens = enumeration.expand(&item, &members);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// Checks `boundary = keep`, by which flags without a name may be passed to C.
fn check_boundary(boundary: Option<Ident>, diagnostics: &Diagnostics) -> bool {
    if let Some(boundary) = &boundary
        && boundary != "keep"
    {
        diagnostics.at(
            boundary,
            "the only boundary is `keep`, which passes unknown flags to C: write `boundary = \
             keep`, or remove `boundary` to refuse them",
        );
    }
    boundary.is_some()
}

struct Member<'a> {
    attributes: &'a [Attribute],
    name: &'a Ident,
    value: &'a Expr,
}

fn members<'a>(item: &'a ItemEnum, diagnostics: &Diagnostics) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    for variant in &item.variants {
        match (&variant.fields, &variant.discriminant) {
            (Fields::Unit, Some((_, value))) => members.push(Member {
                attributes: &variant.attrs,
                name: &variant.ident,
                value,
            }),
            _ => diagnostics.at(
                &variant.ident,
                format!(
                    "a member needs the value of a C constant: write `{} = ffi::…`",
                    variant.ident
                ),
            ),
        }
    }
    if item.variants.is_empty() {
        diagnostics.at(&item.ident, "an enum needs members: list the C constants");
    }
    members
}

struct Enumeration {
    name: String,
    module: String,
    raw: Type,
    flags: bool,
    keep: bool,
    runtime: TokenStream,
}

impl Enumeration {
    fn expand(&self, item: &ItemEnum, members: &[Member<'_>]) -> TokenStream {
        let Enumeration { raw, runtime, .. } = self;
        let (attributes, visibility, ident) = (&item.attrs, &item.vis, &item.ident);
        let constants = members.iter().map(
            |Member {
                 attributes,
                 name,
                 value,
             }| {
                quote! {
                    #(#attributes)*
                    #[allow(non_upper_case_globals, clippy::unnecessary_cast, dead_code, reason = "named as in Python")]
                    pub const #name: #ident = #ident((#value) as #raw);
                }
            },
        );
        let flags = self.flags.then(|| self.expand_flags(ident));
        let python = self.expand_python(item, members);
        let text = format!("{ident}({{}})");
        quote! {
            #(#attributes)*
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::cmp::PartialEq, ::core::cmp::Eq, ::core::hash::Hash
            )]
            #[repr(transparent)]
            #visibility struct #ident(pub #raw);

            impl #ident {
                #(#constants)*
            }

            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::write!(f, #text, self.0)
                }
            }

            // SAFETY: trait `IntoC`: the conversion is that of the number.
            unsafe impl<__C> #runtime::__private::to_c::IntoC<__C> for #ident
            where
                #raw: #runtime::__private::to_c::IntoC<__C>,
            {
                fn into_c(self) -> __C {
                    #runtime::__private::to_c::IntoC::into_c(self.0)
                }
            }

            // SAFETY: trait `FromC`: the conversion is that of the number, which owns nothing.
            unsafe impl<__C> #runtime::__private::from_c::FromC<'_, __C> for #ident
            where
                #raw: #runtime::__private::from_c::FromC<'static, __C>,
            {
                unsafe fn from_c(c: __C) -> ::core::option::Option<Self> {
                    // SAFETY: the caller's promise.
                    unsafe { <#raw as #runtime::__private::from_c::FromC<'static, __C>>::from_c(c) }.map(#ident)
                }
            }

            // SAFETY: Rust: the type is one number, of which 0 is a value.
            unsafe impl #runtime::__private::out_param::ByValue for #ident {}
            // SAFETY: Rust: the type is one number: it holds no pointer.
            unsafe impl #runtime::__private::from_c::Plain for #ident {}
            // SAFETY: Rust: the type is one number: it holds no reference and no handle.
            unsafe impl #runtime::__private::shape::Form<#runtime::__private::shape::Value> for #ident {}

            #flags
            #python
        }
    }

    fn expand_flags(&self, ident: &Ident) -> TokenStream {
        quote! {
            impl #ident {
                /// Returns `true` if all flags of `other` are set.
                #[allow(dead_code, reason = "callers may need it")]
                pub const fn contains(self, other: #ident) -> bool {
                    self.0 & other.0 == other.0
                }
            }

            impl ::core::ops::BitOr for #ident {
                type Output = #ident;

                fn bitor(self, other: #ident) -> #ident {
                    #ident(self.0 | other.0)
                }
            }

            impl ::core::ops::BitAnd for #ident {
                type Output = #ident;

                fn bitand(self, other: #ident) -> #ident {
                    #ident(self.0 & other.0)
                }
            }
        }
    }

    fn expand_python(&self, item: &ItemEnum, members: &[Member<'_>]) -> TokenStream {
        let Enumeration {
            name,
            module,
            raw,
            flags,
            keep,
            runtime,
            ..
        } = self;
        let ident = &item.ident;
        // The sign bit can be a flag of a signed type, but Python's flags are not negative.
        let number = |value: TokenStream| match flags {
            true => quote! {
                (#value as ::core::primitive::i128)
                    & (::core::primitive::i128::MAX >> 127usize.saturating_sub(8 * ::core::mem::size_of::<#raw>()))
            },
            false => quote!(#value as ::core::primitive::i128),
        };
        let of_number = match flags {
            true => quote! {
                let number_of_c = number as #raw;
                (#ident(number_of_c).number() == number).then_some(#ident(number_of_c))
            },
            false => quote!(::core::convert::TryFrom::try_from(number).ok().map(#ident)),
        };
        let own_number = number(quote!(self.0));
        let doc = doc_text(&item.attrs);
        let pairs = members.iter().map(|member| {
            let (name, constant) = (member.name.to_string(), member.name);
            let value = number(quote!(#ident::#constant.0));
            quote!((#name, #value))
        });
        let stubs = self.expand_stubs(&doc, members);
        let id = self.id();
        let export = export(
            ident,
            &quote!(#runtime::__private::python::module::Export),
            &quote!(#runtime::__private::python::enums::export::<#ident>()),
            &quote!(#id),
        );
        quote! {
            #runtime::__python! {
                impl #runtime::__private::python::enums::Enum for #ident {
                    const NAME: &'static ::core::primitive::str = #name;
                    const MODULE: &'static ::core::primitive::str = #module;
                    const ID: &'static ::core::primitive::str = #id;
                    const DOC: &'static ::core::primitive::str = #doc;
                    const FLAGS: ::core::primitive::bool = #flags;
                    const KEEP: ::core::primitive::bool = #keep;
                    #[allow(clippy::unnecessary_cast, reason = "C has many integers")]
                    const MEMBERS: &'static [(&'static ::core::primitive::str, ::core::primitive::i128)] = &[#(#pairs),*];

                    fn cell() -> &'static #runtime::__private::python::enums::Cell {
                        static CELL: #runtime::__private::python::enums::Cell = #runtime::__private::python::enums::Cell::new();
                        &CELL
                    }

                    #[allow(clippy::unnecessary_cast, reason = "C has many integers")]
                    fn number(self) -> ::core::primitive::i128 {
                        #own_number
                    }

                    #[allow(clippy::unnecessary_cast, reason = "C has many integers")]
                    fn of_number(number: ::core::primitive::i128) -> ::core::option::Option<Self> {
                        #of_number
                    }
                }

                impl<'a, 'py> #runtime::pyo3::FromPyObject<'a, 'py> for #ident {
                    type Error = #runtime::pyo3::PyErr;

                    const INPUT_TYPE: #runtime::pyo3::inspect::PyStaticExpr = #runtime::__private::python::enums::hint::<Self>();

                    fn extract(
                        object: #runtime::pyo3::Borrowed<'a, 'py, #runtime::pyo3::PyAny>,
                    ) -> #runtime::pyo3::PyResult<Self> {
                        #runtime::__private::python::enums::extract(object)
                    }
                }

                impl #runtime::__private::python::IntoPython for #ident {
                    const TYPE: #runtime::pyo3::inspect::PyStaticExpr = #runtime::__private::python::enums::hint::<Self>();

                    fn into_python<'a, 'py>(
                        self,
                        context: &#runtime::__private::python::CallContext<'a, 'py>,
                    ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>>
                    where
                        Self: 'a,
                    {
                        #runtime::__private::python::enums::into_py(self, context)
                    }
                }

                impl<'py> #runtime::pyo3::IntoPyObject<'py> for #ident {
                    type Target = #runtime::pyo3::PyAny;
                    type Output = #runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>;
                    type Error = #runtime::pyo3::PyErr;

                    const OUTPUT_TYPE: #runtime::pyo3::inspect::PyStaticExpr = #runtime::__private::python::enums::hint::<Self>();

                    fn into_pyobject(
                        self,
                        py: #runtime::pyo3::Python<'py>,
                    ) -> #runtime::pyo3::PyResult<Self::Output> {
                        #runtime::__private::python::enums::object(self, py)
                    }
                }

                #export

                #stubs
            }
        }
    }

    fn id(&self) -> String {
        format!("leakproof-{}-{}", self.module, self.name)
    }

    /// The stub entries of the class and of its members.
    fn expand_stubs(&self, doc: &str, members: &[Member<'_>]) -> TokenStream {
        let base = if self.flags { "IntFlag" } else { "IntEnum" };
        let (id, name) = (json_string(&self.id()), json_string(&self.name));
        let doc = doc_entry(doc);
        let class = format!(
            r#"{{"bases":[{{"type":"attribute","value":{{"type":"name","id":"enum"}},"attr":"{base}"}}],"decorators":[],{doc}"id":{id},"name":{name},"type":"class"}}"#
        );
        let members = members.iter().map(|member| {
            let name = json_string(&member.name.to_string());
            let doc = doc_entry(&doc_text(member.attributes));
            format!(
                r#"{{{doc}"name":{name},"parent":{id},"type":"attribute","value":{{"type":"constant","kind":"ellipsis"}}}}"#
            )
        });
        let runtime = &self.runtime;
        [class]
            .into_iter()
            .chain(members)
            .map(|entry| {
                let symbol = symbol();
                quote!(#runtime::__stub!(#symbol, #entry);)
            })
            .collect()
    }
}

/// The entry of a documentation in the JSON of a stub; empty if there is none.
fn doc_entry(doc: &str) -> String {
    match doc {
        "" => String::new(),
        doc => format!(r#""doc":{},"#, json_string(doc)),
    }
}

//! `#[int_enum]` and `#[int_flag]`: C's constants as a type of their own, in Python an
//! `enum.IntEnum` or `IntFlag`.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::{Attribute, Expr, Fields, ItemEnum, Type};

use crate::attr::{CommonArgs, TargetAndArgs, parse_item};
use crate::diagnostics::Diagnostics;
use crate::docs::{HeaderComment, doc_text};
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
    let mut boundary = Boundary::default();
    let (raw, args) = match parsed {
        Some(parsed) => (parsed.target, parsed.args),
        None => (syn::parse_quote!(i32), TokenStream::new()),
    };
    let known = ["name", "module", "boundary", "crate"];
    let (common, args) = CommonArgs::parse(args, &known, &diagnostics);
    for arg in args {
        let written = arg.value("boundary = keep", &diagnostics);
        boundary = parse_boundary(written.as_ref(), &diagnostics);
    }
    let members = members(&item, &diagnostics);
    let enumeration = Enumeration {
        name: common.name(&item.ident),
        module: common.module(),
        raw,
        flags,
        boundary,
        runtime: common.runtime(),
    };
    let mut tokens = enumeration.expand(&item, &members);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// `boundary = …`: the places where Python may see a value that is not listed.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Boundary {
    /// Results alone.
    #[default]
    Results,
    /// Results and parameters.
    Keep,
    /// None.
    Strict,
}

fn parse_boundary(written: Option<&Ident>, diagnostics: &Diagnostics) -> Boundary {
    match written {
        Some(word) if word == "keep" => Boundary::Keep,
        Some(word) if word == "strict" => Boundary::Strict,
        Some(word) => {
            diagnostics.at(
                word,
                "the boundary is `keep`, which passes values to C that are not listed, or `strict`, which also refuses \
                 them as results: write one of the two, or remove `boundary` to refuse them as parameters only",
            );
            Boundary::Results
        }
        None => Boundary::Results,
    }
}

struct Member<'a> {
    attributes: &'a [Attribute],
    /// The comment that the header has for the constant.
    comment: HeaderComment,
    name: &'a Ident,
    value: &'a Expr,
}

impl Member<'_> {
    /// The documentation in Python.
    fn doc(&self) -> String {
        match self.comment.text() {
            Some(text) => text.to_owned(),
            None => doc_text(self.attributes),
        }
    }
}

/// The comment that the header has for a constant, if the value of the member is the path of one.
fn comment_of(attributes: &[Attribute], value: &Expr) -> HeaderComment {
    match value {
        Expr::Path(constant) => HeaderComment::of(attributes, &constant.path),
        Expr::Cast(cast) => comment_of(attributes, &cast.expr),
        Expr::Paren(paren) => comment_of(attributes, &paren.expr),
        _ => HeaderComment::none(),
    }
}

fn members<'a>(item: &'a ItemEnum, diagnostics: &Diagnostics) -> Vec<Member<'a>> {
    let mut members = Vec::new();
    for variant in &item.variants {
        match (&variant.fields, &variant.discriminant) {
            (Fields::Unit, Some((_, value))) => members.push(Member {
                attributes: &variant.attrs,
                comment: comment_of(&variant.attrs, value),
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
    boundary: Boundary,
    runtime: TokenStream,
}

impl Enumeration {
    fn expand(&self, item: &ItemEnum, members: &[Member<'_>]) -> TokenStream {
        let Enumeration { raw, runtime, .. } = self;
        let (attributes, visibility, ident) = (&item.attrs, &item.vis, &item.ident);
        let constants = members.iter().map(
            |Member {
                 attributes,
                 comment,
                 name,
                 value,
             }| {
                let comment = comment.for_rust();
                quote! {
                    #(#attributes)*
                    #comment
                    #[allow(non_upper_case_globals, clippy::unnecessary_cast, dead_code, reason = "named as in Python")]
                    pub const #name: #ident = #ident((#value) as #raw);
                }
            },
        );
        let methods = match self.flags {
            true => self.expand_flags(ident),
            false => self.expand_name(ident),
        };
        let python = self.expand_python(item, members);
        let pairs = members.iter().map(|member| {
            let (name, constant) = (member.name.to_string(), member.name);
            let value = self.number(&quote!(#ident::#constant.0));
            quote!((#name, #value))
        });
        let (name, number) = (ident.to_string(), self.number(&quote!(self.0)));
        let fmt = match self.flags {
            true => quote!(fmt_flags),
            false => quote!(fmt_member),
        };
        let comment = self.comment(item).for_rust();
        quote! {
            #(#attributes)*
            #comment
            #[derive(
                ::core::clone::Clone, ::core::marker::Copy, ::core::cmp::PartialEq, ::core::cmp::Eq,
                ::core::cmp::PartialOrd, ::core::cmp::Ord, ::core::hash::Hash
            )]
            #[repr(transparent)]
            #visibility struct #ident(pub #raw);

            impl #ident {
                #(#constants)*

                #[doc(hidden)]
                #[allow(clippy::unnecessary_cast, reason = "C has many integers")]
                pub const __MEMBERS: &'static [#runtime::__private::enumeration::Member] = &[#(#pairs),*];
            }

            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #[allow(clippy::unnecessary_cast, reason = "C has many integers")]
                    #runtime::__private::enumeration::#fmt(f, #name, #ident::__MEMBERS, #number)
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

            #methods
            #python
        }
    }

    /// The comment that the header has for the C type.
    fn comment(&self, item: &ItemEnum) -> HeaderComment {
        match &self.raw {
            Type::Path(raw) => HeaderComment::of(&item.attrs, &raw.path),
            _ => HeaderComment::none(),
        }
    }

    /// The number of a value in Python.
    fn number(&self, value: &TokenStream) -> TokenStream {
        let raw = &self.raw;
        match self.flags {
            // The sign bit can be a flag of a signed type, but Python's flags are not negative.
            true => quote! {
                (#value as ::core::primitive::i128)
                    & (::core::primitive::i128::MAX >> 127usize.saturating_sub(8 * ::core::mem::size_of::<#raw>()))
            },
            false => quote!(#value as ::core::primitive::i128),
        }
    }

    fn expand_name(&self, ident: &Ident) -> TokenStream {
        let runtime = &self.runtime;
        let number = self.number(&quote!(self.0));
        quote! {
            impl #ident {
                /// Returns the name, or `None` if the value is not listed.
                #[allow(dead_code, clippy::unnecessary_cast, reason = "callers may need it; C has many integers")]
                pub fn name(self) -> ::core::option::Option<&'static ::core::primitive::str> {
                    #runtime::__private::enumeration::name_of(#ident::__MEMBERS, #number)
                }
            }
        }
    }

    /// The methods and operators that types of the crate `bitflags` have.
    fn expand_flags(&self, ident: &Ident) -> TokenStream {
        let raw = &self.raw;
        let operators = [
            ("BitOr", "bitor", quote!(self.0 | other.0)),
            ("BitAnd", "bitand", quote!(self.0 & other.0)),
            ("BitXor", "bitxor", quote!(self.0 ^ other.0)),
            ("Sub", "sub", quote!(self.0 & !other.0)),
        ];
        let operators = operators.map(|(operator, method, value)| {
            let [operator, method] = [operator, method].map(|name| format_ident!("{name}"));
            let [assign, assign_method] = [
                format_ident!("{operator}Assign"),
                format_ident!("{method}_assign"),
            ];
            quote! {
                impl ::core::ops::#operator for #ident {
                    type Output = #ident;

                    fn #method(self, other: #ident) -> #ident {
                        #ident(#value)
                    }
                }

                impl ::core::ops::#assign for #ident {
                    fn #assign_method(&mut self, other: #ident) {
                        *self = ::core::ops::#operator::#method(*self, other);
                    }
                }
            }
        });
        quote! {
            #[allow(dead_code, clippy::unnecessary_cast, reason = "callers may need it; C has many integers")]
            impl #ident {
                /// Returns no flags.
                pub const fn empty() -> #ident {
                    #ident(0)
                }

                /// Returns all listed flags.
                pub const fn all() -> #ident {
                    let mut all: #raw = 0;
                    let mut index = 0;
                    while index < #ident::__MEMBERS.len() {
                        all |= #ident::__MEMBERS[index].1 as #raw;
                        index += 1;
                    }
                    #ident(all)
                }

                /// Returns the flags of these bits, or `None` if one of them is not listed.
                pub const fn from_bits(bits: #raw) -> ::core::option::Option<#ident> {
                    match bits & !#ident::all().0 {
                        0 => ::core::option::Option::Some(#ident(bits)),
                        _ => ::core::option::Option::None,
                    }
                }

                /// Returns the bits as C has them.
                pub const fn bits(self) -> #raw {
                    self.0
                }

                /// Returns `true` if no flag is set.
                pub const fn is_empty(self) -> ::core::primitive::bool {
                    self.0 == 0
                }

                /// Returns `true` if all listed flags are set.
                pub const fn is_all(self) -> ::core::primitive::bool {
                    self.contains(#ident::all())
                }

                /// Returns `true` if all flags of `other` are set.
                pub const fn contains(self, other: #ident) -> ::core::primitive::bool {
                    self.0 & other.0 == other.0
                }

                /// Returns `true` if a flag of `other` is set.
                pub const fn intersects(self, other: #ident) -> ::core::primitive::bool {
                    self.0 & other.0 != 0
                }

                /// Sets all flags of `other`.
                pub const fn insert(&mut self, other: #ident) {
                    self.0 |= other.0;
                }

                /// Unsets all flags of `other`.
                pub const fn remove(&mut self, other: #ident) {
                    self.0 &= !other.0;
                }
            }

            impl ::core::ops::Not for #ident {
                type Output = #ident;

                /// Returns the other listed flags.
                fn not(self) -> #ident {
                    #ident(!self.0 & #ident::all().0)
                }
            }

            #(#operators)*
        }
    }

    fn expand_python(&self, item: &ItemEnum, members: &[Member<'_>]) -> TokenStream {
        let Enumeration {
            name,
            module,
            raw,
            flags,
            boundary,
            runtime,
            ..
        } = self;
        let ident = &item.ident;
        let of_number = match flags {
            true => quote! {
                let number_of_c = number as #raw;
                (#ident(number_of_c).number() == number).then_some(#ident(number_of_c))
            },
            false => quote!(::core::convert::TryFrom::try_from(number).ok().map(#ident)),
        };
        let own_number = self.number(&quote!(self.0));
        let doc = match self.comment(item).text() {
            Some(text) => text.to_owned(),
            None => doc_text(&item.attrs),
        };
        let docs = members.iter().filter_map(|member| {
            let (name, doc) = (member.name.to_string(), member.doc());
            (!doc.is_empty()).then(|| quote!((#name, #doc)))
        });
        let boundary = match boundary {
            Boundary::Results => quote!(Results),
            Boundary::Keep => quote!(Keep),
            Boundary::Strict => quote!(Strict),
        };
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
                    const BOUNDARY: #runtime::__private::python::enums::Boundary =
                        #runtime::__private::python::enums::Boundary::#boundary;
                    const MEMBERS: &'static [#runtime::__private::enumeration::Member] = #ident::__MEMBERS;
                    const MEMBER_DOCS: &'static [(&'static ::core::primitive::str, &'static ::core::primitive::str)] =
                        &[#(#docs),*];

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

                    const INPUT_TYPE: #runtime::pyo3::inspect::PyStaticExpr = #runtime::__private::python::enums::hint_of_parameter::<Self>();

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
            let doc = doc_entry(&member.doc());
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

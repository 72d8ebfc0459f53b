//! `#[derive(IntoPython)]`: an enum whose variants hold one result each. Python gets the value of
//! the variant.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields, Type};

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::span::respanned;

pub(crate) fn into_python(item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let parsed: Option<DeriveInput> = diagnostics.ok(syn::parse2(item));
    let Some(item) = parsed else {
        return diagnostics.into_tokens();
    };
    let runtime = CommonArgs::of_derive(&item.attrs, &diagnostics).runtime();
    let variants = variants(&item, &diagnostics);
    let tokens = expand(&item, &variants, &runtime);
    let mistakes = diagnostics.into_tokens();
    if mistakes.is_empty() {
        tokens
    } else {
        mistakes
    }
}

pub(crate) fn variants<'a>(
    item: &'a DeriveInput,
    diagnostics: &Diagnostics,
) -> Vec<(&'a syn::Ident, &'a Type)> {
    let Data::Enum(data) = &item.data else {
        diagnostics.at(
            &item.ident,
            "`IntoPython` can be derived for enums only: implement it by hand for a struct",
        );
        return Vec::new();
    };
    let mut variants = Vec::new();
    for variant in &data.variants {
        match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                variants.extend(
                    fields
                        .unnamed
                        .first()
                        .map(|field| (&variant.ident, &field.ty)),
                );
            }
            _ => diagnostics.at(
                variant,
                "Python gets the value of the variant, so a variant holds exactly one: write \
                 `Name(Type)`",
            ),
        }
    }
    if data.variants.is_empty() {
        diagnostics.at(
            &item.ident,
            "an enum without variants has no value for Python: add a variant",
        );
    }
    variants
}

pub(crate) fn expand(
    item: &DeriveInput,
    variants: &[(&syn::Ident, &Type)],
    runtime: &TokenStream,
) -> TokenStream {
    let ident = &item.ident;
    let (generics, arguments, clause) = item.generics.split_for_impl();
    let hint = variants
        .iter()
        .rev()
        .fold(TokenStream::new(), |rest, (_, ty)| {
            let this = respanned(
                quote!(<#ty as #runtime::__private::python::IntoPython>::TYPE),
                ty.span(),
            );
            if rest.is_empty() {
                this
            } else {
                quote!(#runtime::__private::python::into_py::union(&#this, &#rest))
            }
        });
    let plain = variants.iter().map(|(_, ty)| {
        respanned(
            quote!(<#ty as #runtime::__private::python::IntoPython>::PLAIN),
            ty.span(),
        )
    });
    let arms = variants.iter().map(|(name, ty)| {
        let given = quote!(#runtime::__private::python::IntoPython::into_python(value, context));
        let given = respanned(given, ty.span());
        quote!(Self::#name(value) => #given,)
    });
    quote! {
        #runtime::__python! {
            impl #generics #runtime::__private::python::IntoPython for #ident #arguments #clause {
                const TYPE: #runtime::pyo3::inspect::PyStaticExpr = #hint;
                const PLAIN: #runtime::__private::fact::Fact = #runtime::__private::fact::Fact::all(&[#(#plain),*]);

                // Names that the author's lifetimes do not have.
                fn into_python<'__context, '__py>(
                    self,
                    context: &#runtime::__private::python::CallContext<'__context, '__py>,
                ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'__py, #runtime::pyo3::PyAny>>
                where
                    Self: '__context,
                {
                    match self {
                        #(#arms)*
                    }
                }
            }
        }
    }
}

//! `#[derive(Attachment)]`: side data of a handle, with all its Python objects visible to the
//! garbage collector.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Fields};

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::span::respanned;

pub(crate) fn attachment(item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let parsed: Option<DeriveInput> = diagnostics.ok(syn::parse2(item));
    let Some(item) = parsed else {
        return diagnostics.into_tokens();
    };
    let runtime = CommonArgs::of_derive(&item.attrs, &diagnostics).runtime();
    let tokens = expand(&item, &runtime, &diagnostics);
    let mistakes = diagnostics.into_tokens();
    if mistakes.is_empty() {
        tokens
    } else {
        mistakes
    }
}

pub(crate) fn expand(
    item: &DeriveInput,
    runtime: &TokenStream,
    diagnostics: &Diagnostics,
) -> TokenStream {
    let name = &item.ident;
    let variants: Vec<(TokenStream, &Fields)> = match &item.data {
        Data::Struct(data) => vec![(quote!(#name), &data.fields)],
        Data::Enum(data) => data
            .variants
            .iter()
            .map(|variant| {
                let variant_name = &variant.ident;
                (quote!(#name::#variant_name), &variant.fields)
            })
            .collect(),
        Data::Union(_) => {
            diagnostics.at(
                name,
                "a union cannot be an attachment, because its active field is not known: use a \
                 struct or an enum",
            );
            Vec::new()
        }
    };
    let arms = |each: &dyn Fn(&TokenStream) -> TokenStream, end: TokenStream| -> TokenStream {
        let arms = variants.iter().map(|(path, fields)| {
            let bound = fields.members().enumerate().map(|(index, member)| {
                let bound = format_ident!("__{index}", span = proc_macro2::Span::mixed_site());
                quote!(#member: #bound)
            });
            let done = fields.iter().enumerate().map(|(index, field)| {
                let bound = format_ident!("__{index}", span = proc_macro2::Span::mixed_site());
                respanned(each(&quote!(#bound)), field.ty.span())
            });
            quote!(#path { #(#bound),* } => { #(#done)* })
        });
        let arms: TokenStream = arms.collect();
        match variants.is_empty() {
            true => quote!(match *self {}),
            false => quote!(match self { #arms } #end),
        }
    };
    let trait_ = quote!(#runtime::Attachment);
    let traversal = quote!(#runtime::__private::attachment);
    let traverse = arms(
        &|bound| quote!(#traversal::traverse(#bound, visit)?;),
        quote!(::core::result::Result::Ok(())),
    );
    let clear = arms(&|bound| quote!(#traversal::clear(#bound, taken);), quote!());
    let (generics, arguments, bounds) = item.generics.split_for_impl();
    quote! {
        impl #generics #trait_ for #name #arguments #bounds {
            #runtime::__python! {
                const TRAVERSAL: #traversal::Traversal<Self> = #traversal::Traversal::of();
            }
        }

        #runtime::__python! {
            // SAFETY: Rust: each field is shown once; trait `Traverse`: so each reference that the value owns is.
            unsafe impl #generics #traversal::Traverse for #name #arguments #bounds {
                fn traverse(
                    &self,
                    visit: &#runtime::pyo3::PyVisit<'_>,
                ) -> ::core::result::Result<(), #runtime::pyo3::PyTraverseError> {
                    #traverse
                }

                fn clear(&self, taken: &mut ::std::vec::Vec<#runtime::pyo3::Py<#runtime::pyo3::PyAny>>) {
                    #clear
                }
            }
        }
    }
}

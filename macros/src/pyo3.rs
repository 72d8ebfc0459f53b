//! Names and attributes of PyO3 in generated code.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::Path;

/// The value of `#[pyo3(crate = …)]`: the path by which PyO3's macros find PyO3.
pub(crate) fn crate_path(runtime: &TokenStream) -> String {
    format!("{runtime}::pyo3").replace(' ', "")
}

/// The path of a type's Python class: `path::DocumentClass` for `path::Document`.
pub(crate) fn class_path(path: &Path) -> TokenStream {
    let mut path = path.clone();
    if let Some(segment) = path.segments.last_mut() {
        segment.ident = format_ident!("{}Class", segment.ident);
    }
    quote!(#path)
}

/// The constants by which `#[pymodule_export]` finds what to export under the name `ident`.
pub(crate) fn export(
    ident: &Ident,
    definition_type: &TokenStream,
    definition: &TokenStream,
    introspection_id: &TokenStream,
) -> TokenStream {
    quote! {
        #[doc(hidden)]
        #[allow(dead_code, reason = "only read where the type is exported")]
        impl #ident {
            pub const _PYO3_DEF: #definition_type = #definition;
            pub const _PYO3_INTROSPECTION_ID: &'static ::core::primitive::str = #introspection_id;
        }
    }
}

/// Like [`export`], for a type whose Python class is the pyclass `class`.
pub(crate) fn export_class(runtime: &TokenStream, ident: &Ident, class: &Ident) -> TokenStream {
    export(
        ident,
        &quote!(#runtime::pyo3::impl_::pymodule::AddClassToModule<#class>),
        &quote!(#class::_PYO3_DEF),
        &quote!(#class::_PYO3_INTROSPECTION_ID),
    )
}

/// Like [`export_class`], for an exception that is also a built-in one.
pub(crate) fn export_exception(runtime: &TokenStream, ident: &Ident, class: &Ident) -> TokenStream {
    export(
        ident,
        &quote!(#runtime::__private::python::module::Export),
        &quote!(#runtime::__private::python::module::export_exception::<#ident>()),
        &quote!(#class::_PYO3_INTROSPECTION_ID),
    )
}

/// Like [`export_class`], for the class of a handle, which may have direct entries.
pub(crate) fn export_handle_class(
    runtime: &TokenStream,
    ident: &Ident,
    class: &Ident,
) -> TokenStream {
    let export_type = quote!(#runtime::__private::python::direct::ExportHandle<#ident>);
    export(
        ident,
        &export_type,
        &quote!(<#export_type>::new()),
        &quote!(#class::_PYO3_INTROSPECTION_ID),
    )
}

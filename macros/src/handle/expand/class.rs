//! The Python class of a handle.

use proc_macro2::TokenStream;
use quote::quote;

use crate::docs::doc_attributes;
use crate::handle::model::{Handle, Ownership};
use crate::pyo3::{crate_path, export_handle_class};
use crate::span::respanned;

pub(crate) fn expand_class(handle: &Handle) -> TokenStream {
    let Handle {
        item,
        runtime,
        class,
        name,
        module,
        ..
    } = handle;
    let (visibility, ident) = (&item.vis, &item.ident);
    let documentation = doc_attributes(&item.attrs);
    let comment = handle.comment.for_python();
    let pyo3 = crate_path(runtime);
    let lend = match handle.ownership {
        Ownership::Resource {
            retain: Some(_), ..
        } => quote!(counted_into_py),
        Ownership::Resource { .. } | Ownership::CallbackOnly => quote!(resource_into_py),
        Ownership::Part { .. } => quote!(part_into_py),
    };
    let export = export_handle_class(runtime, ident, class);
    let python = quote!(#runtime::__private::python);
    let subclass = handle.subclass.as_ref().map(|_| quote!(subclass,));
    let (fields, data) = match handle.subclass {
        Some(_) => (
            quote!((#python::Distinct)),
            quote!((#python::Distinct::new())),
        ),
        None => (TokenStream::new(), TokenStream::new()),
    };
    let constructor = handle.subclass.as_ref().map(|keyword| {
        let check = quote!(const _: () = #python::object::check_constructor::<#ident>(););
        respanned(check, keyword.span())
    });
    quote! {
        #runtime::__python! {
            #(#documentation)*
            #comment
            #[#runtime::pyo3::pyclass(
                extends = #python::HandleClass, #subclass frozen, immutable_type, name = #name, module = #module, crate = #pyo3
            )]
            #[allow(dead_code, reason = "a handle that is not exported has a class, too")]
            #visibility struct #class #fields;

            #constructor

            // SAFETY: guarantee 17: only the runtime makes objects of this class, each with a pointer
            // of this type's kind; guarantee 28: also those of classes that derive from it.
            unsafe impl #python::PyHandle for #ident {
                type Class = #class;

                fn class() -> #class {
                    #class #data
                }

                fn wrap_borrowed<'a, 'py>(
                    handle: #runtime::__private::handle::Borrowed<'a, Self>,
                    context: &#python::CallContext<'a, 'py>,
                ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>> {
                    #python::object::#lend(handle, context)
                }
            }

            #export
        }
    }
}

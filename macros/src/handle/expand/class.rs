//! The Python class of a handle.

use proc_macro2::TokenStream;
use quote::quote;

use crate::docs::doc_attributes;
use crate::handle::model::{Handle, Ownership};
use crate::pyo3::{crate_path, export_handle_class};

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
    quote! {
        #runtime::__python! {
            #(#documentation)*
            #comment
            #[#runtime::pyo3::pyclass(
                extends = #runtime::__private::python::HandleClass, frozen, immutable_type, name = #name, module = #module, crate = #pyo3
            )]
            #[allow(dead_code, reason = "a handle that is not exported has a class, too")]
            #visibility struct #class;

            // SAFETY: guarantee 17: only `new_object` of the runtime makes objects of this class,
            // each with a pointer of this type's kind.
            unsafe impl #runtime::__private::python::PyHandle for #ident {
                type Class = #class;

                fn class() -> #class {
                    #class
                }

                fn wrap_borrowed<'a, 'py>(
                    handle: #runtime::__private::handle::Borrowed<'a, Self>,
                    context: &#runtime::__private::python::CallContext<'a, 'py>,
                ) -> #runtime::pyo3::PyResult<#runtime::pyo3::Bound<'py, #runtime::pyo3::PyAny>> {
                    #runtime::__private::python::object::#lend(handle, context)
                }
            }

            #export
        }
    }
}

//! The Python class of a record.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};

use super::{Field, Form, Record};
use crate::pyo3::crate_path;
use crate::text::Utf8;

impl Record<'_> {
    /// The methods of the class, and the conversions of its objects.
    pub(super) fn expand_python(&self) -> TokenStream {
        let Record { item, runtime, .. } = self;
        let ident = &item.ident;
        let pyo3 = crate_path(runtime);
        let names: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        let records = quote!(#runtime::__private::python::records);
        let typed = quote!(#runtime::__private::python::TypedResult);
        let parameters = self
            .fields
            .iter()
            .map(|Field { name, ty, form, .. }| match form {
                Form::Plain => quote!(#name: #ty),
                _ => quote!(#name: &::core::primitive::str),
            });
        let arguments = self
            .fields
            .iter()
            .map(|Field { name, form, .. }| match form {
                Form::Bytes => {
                    quote!(&#runtime::__private::to_c::c_string(::core::stringify!(#name), #name)?)
                }
                _ => quote!(#name),
            });
        let new = quote!(#ident::new(#(#arguments),*));
        let (result, new) = match self.has_text() {
            true => (
                quote!(#runtime::pyo3::PyResult<Self>),
                quote!(::core::result::Result::Ok(#new?)),
            ),
            false => (quote!(Self), new),
        };
        let ordered = self.ord.then(|| {
            let methods = [
                ("__lt__", quote!(<)),
                ("__le__", quote!(<=)),
                ("__gt__", quote!(>)),
                ("__ge__", quote!(>=)),
            ];
            let methods = methods.map(|(name, operator)| {
                let name = format_ident!("{name}");
                quote! {
                    fn #name(&self, other: &Self) -> ::core::primitive::bool {
                        self #operator other
                    }
                }
            });
            quote!(#(#methods)*)
        });
        let getters = self.fields.iter().map(|field| {
            let Field {
                attributes,
                name,
                ty,
                place,
                form,
            } = field;
            let place = self.expand_read(place, &quote!(self), &quote!(&));
            let full_name = self.full_name(field);
            let (result, value) = match form {
                Form::Plain => (quote!(#ty), quote!(self.#name())),
                Form::Text(utf8) => {
                    let lossy = *utf8 == Utf8::Lossy;
                    let value = quote!(#records::string(py, #place, #full_name, #lossy));
                    (
                        quote!(#runtime::pyo3::PyResult<#typed<'py, ::std::string::String>>),
                        value,
                    )
                }
                Form::Bytes => {
                    let value = quote!(#records::fs_string(py, #place));
                    (
                        quote!(#runtime::pyo3::PyResult<#typed<'py, ::std::ffi::CString>>),
                        value,
                    )
                }
            };
            let py = (*form != Form::Plain).then(|| quote!(, py: #runtime::pyo3::Python<'py>));
            let life = (*form != Form::Plain).then(|| quote!(<'py>));
            let documentation = attributes
                .iter()
                .filter(|attribute| attribute.path().is_ident("doc"));
            let (getter, python) = (format_ident!("__get_{name}"), format_ident!("{name}"));
            quote! {
                #(#documentation)*
                #[getter(#python)]
                fn #getter #life(&self #py) -> #result {
                    #value
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
                    fn __new(#(#parameters),*) -> #result {
                        #new
                    }

                    #(#getters)*

                    fn __eq__(&self, other: &Self) -> ::core::primitive::bool {
                        self == other
                    }

                    #ordered

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

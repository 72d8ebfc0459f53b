//! `#[module]`: PyO3's `#[pymodule]` with the classes and functions that every leakproof module
//! exports.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::ItemMod;

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::pyo3::crate_path;

pub(crate) fn module(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let (common, args) = CommonArgs::parse(args, &["gil_used", "crate"], &diagnostics);
    let gil_used = args.iter().any(|arg| arg.flag(&diagnostics));
    let runtime = common.runtime();
    let parsed: Option<ItemMod> = diagnostics.ok(syn::parse2(item));
    let Some(mut module) = parsed else {
        return diagnostics.into_tokens();
    };
    let Some((_, items)) = &mut module.content else {
        diagnostics.at(
            &module,
            "the items of the extension module have to be in this file: write `mod name { … }`",
        );
        return diagnostics.into_tokens();
    };
    let exports = quote! {
        #[pymodule_export]
        use #runtime::__private::python::Register as __LeakproofRegister;
        #[pymodule_export]
        use #runtime::__private::python::HandleClass as __LeakproofHandle;
        #[pymodule_export]
        use #runtime::__private::python::Error as __LeakproofError;
        #[pymodule_export]
        use #runtime::__private::python::ClosedError as __LeakproofClosedError;
        #[pymodule_export]
        use #runtime::__private::python::BusyError as __LeakproofBusyError;
        #[pymodule_export]
        use #runtime::__private::python::AffinityError as __LeakproofAffinityError;
        #[pymodule_export]
        use #runtime::__private::python::live_handles as __leakproof_live_handles;
    };
    if let Some(file) = diagnostics.ok(syn::parse2::<syn::File>(exports)) {
        items.splice(0..0, file.items);
    }
    let pyo3 = crate_path(&runtime);
    let mut tokens = quote! {
        #[#runtime::pyo3::pymodule]
        #[pyo3(crate = #pyo3, gil_used = #gil_used)]
    };
    module.to_tokens(&mut tokens);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

//! The check that the handles of one call live in the same ancestor.

use proc_macro2::TokenStream;
use quote::quote;

use crate::methods::ast::{Calls, Method, Parameter, Receiver};
use crate::methods::expand::variables::{c_value_variable, callback_variable};
use crate::types::param_kind::ParamKind;

/// Checks each pair of handles of the call, apart from those that `#[foreign]` names.
pub(crate) fn expand_same_ancestor(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> TokenStream {
    let receiver =
        (method.receiver != Receiver::None).then(|| quote!(::core::option::Option::Some(&*self)));
    let kept = method.kept_handles(calls);
    let parameters = method
        .parameters
        .iter()
        .filter(|parameter| !method.foreign.contains(&parameter.name));
    let parameters = parameters.filter_map(|Parameter { name, ty }| {
        Some(match ParamKind::of(ty) {
            ParamKind::Ref(_) | ParamKind::Mut(_) => quote!(::core::option::Option::Some(&*#name)),
            ParamKind::OptionRef(_) | ParamKind::OptionMut(_) => {
                quote!(#runtime::__private::shape::optional(&#name))
            }
            ParamKind::Owned(_) | ParamKind::OptionOwned(_)
                if kept.iter().any(|kept| kept.name == *name) =>
            {
                let state = callback_variable(name);
                quote!((&#state).optional())
            }
            ParamKind::Owned(_) => {
                let lent = c_value_variable(name);
                quote!(::core::option::Option::Some(#lent))
            }
            _ => return None,
        })
    });
    let handles: Vec<TokenStream> = receiver.into_iter().chain(parameters).collect();
    let or = match method.output.fallible {
        true => quote!(return),
        false => quote!(panic),
    };
    match handles.len() {
        0 | 1 => TokenStream::new(),
        _ => quote!(#runtime::__same_ancestor!(#or; #(#handles),*);),
    }
}

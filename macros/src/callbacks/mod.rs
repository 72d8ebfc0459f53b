//! `#[callbacks]`: methods that C calls, through generated function pointers.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod memory;
pub(crate) mod parse;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Attribute, ImplItem, ItemImpl};

use crate::attr::{CommonArgs, parse_item};
use crate::diagnostics::Diagnostics;
use crate::renamed::report_renamed;
use crate::types::inspect::ungroup;
use crate::types::lifetimes::qualify_borrowed;

pub(crate) fn callbacks(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "`#[callbacks]` is for `impl` blocks: write `impl State { … }`";
    let parsed: Option<ItemImpl> = parse_item(item, form, &diagnostics);
    let Some(mut item) = parsed else {
        return diagnostics.into_tokens();
    };
    let (common, args) = CommonArgs::parse(args, &["unsafe", "crate"], &diagnostics);
    let is_unsafe = args.iter().any(|arg| arg.flag(&diagnostics));
    check::check_block(&item, &diagnostics);
    let runtime = common.runtime();
    let mut callbacks = Vec::new();
    for item in &mut item.items {
        let ImplItem::Fn(method) = item else { continue };
        method.attrs.retain(|attribute| {
            let ident = attribute.path().get_ident();
            !ident.is_some_and(|ident| report_renamed("attribute", ident, &diagnostics))
        });
        let marked = |attribute: &Attribute| attribute.path().is_ident("callback");
        let Some(index) = method.attrs.iter().position(marked) else {
            continue;
        };
        let attribute = method.attrs.remove(index);
        ungroup(&mut method.sig);
        qualify_borrowed(&mut method.sig, &runtime);
        callbacks.extend(parse::parse(method.clone(), &attribute, &diagnostics));
    }
    if let (false, Some(first)) = (is_unsafe, callbacks.first()) {
        diagnostics.at(
            &first.method.sig.ident,
            "the author vouches for the arguments that C passes to a callback: write \
             `#[callbacks(unsafe)]` on this block",
        );
    }
    for one in &callbacks {
        check::check(one, &diagnostics);
    }
    let mut tokens = item.to_token_stream();
    if diagnostics.is_empty() {
        let state = &item.self_ty;
        tokens.extend(quote!(impl #runtime::__private::callback::HasCallbacks for #state {}));
        tokens.extend(
            callbacks
                .iter()
                .map(|one| expand::expand(state, one, &runtime)),
        );
    }
    tokens.extend(diagnostics.into_tokens());
    tokens
}

//! Adds or erases the lifetimes of types, for generated code that repeats what the author wrote.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericArgument, Lifetime, PathArguments, Signature, Type, TypePath, TypeReference,
};

use crate::span::respanned;
use crate::types::inspect::is_call_data;
use crate::types::param_kind::ParamKind;

/// Replaces the name `Borrowed` in `signature` by this crate's type. PyO3's prelude has a type of
/// that name, so the name alone is ambiguous beside it.
pub(crate) fn qualify_borrowed(signature: &mut Signature, runtime: &TokenStream) {
    struct Qualify<'a>(&'a TokenStream);
    impl VisitMut for Qualify<'_> {
        fn visit_type_path_mut(&mut self, path: &mut TypePath) {
            visit_mut::visit_type_path_mut(self, path);
            let [segment] = Vec::from_iter(&path.path.segments)[..] else {
                return;
            };
            if path.qself.is_none() && segment.ident == "Borrowed" {
                let runtime = respanned(self.0.clone(), segment.ident.span());
                *path = syn::parse_quote!(#runtime::#segment);
            }
        }
    }
    Qualify(runtime).visit_signature_mut(signature);
}

/// `ty` with inferred lifetimes, as generated bodies name it.
pub(crate) fn with_inferred_lifetime(ty: &Type, runtime: &TokenStream) -> Type {
    with_lifetime(ty, runtime, "'_")
}

/// Gives `lifetime` to each parameter that the result could borrow from, unless the author named a
/// lifetime. Returns `false` if there is no such parameter.
pub(crate) fn bind_param_lifetimes(signature: &mut Signature, lifetime: &Lifetime) -> bool {
    struct Bind<'a>(&'a Lifetime, bool);
    impl VisitMut for Bind<'_> {
        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            if reference.lifetime.is_none() {
                reference.lifetime = Some(self.0.clone());
                self.1 = true;
            }
            visit_mut::visit_type_reference_mut(self, reference);
        }

        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            if lifetime.ident == "_" {
                *lifetime = self.0.clone();
                self.1 = true;
            }
        }

        // Function types and trait objects have lifetimes of their own.
        fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
        fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {}
        fn visit_type_trait_object_mut(&mut self, _: &mut syn::TypeTraitObject) {}
    }
    let mut bind = Bind(lifetime, false);
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input
            && !is_call_data(&typed.ty)
            && !matches!(
                ParamKind::of(&typed.ty),
                ParamKind::Owned(_) | ParamKind::OptionOwned(_) | ParamKind::Python
            )
        {
            bind.visit_type_mut(&mut typed.ty);
        }
    }
    bind.1
}

/// `ty` with `lifetime` for each lifetime of a guard or reference that the author left out.
pub(crate) fn with_lifetime(ty: &Type, runtime: &TokenStream, lifetime: &str) -> Type {
    struct Bind<'a>(&'a TokenStream, Lifetime);
    impl VisitMut for Bind<'_> {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            visit_mut::visit_type_mut(self, ty);
            let Type::Path(path) = ty else { return };
            let Some(segment) = path.path.segments.last_mut() else {
                return;
            };
            let name = segment.ident.to_string();
            let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
                return;
            };
            let [GenericArgument::Type(handle)] = &arguments.args.iter().collect::<Vec<_>>()[..]
            else {
                return;
            };
            let (runtime, lifetime) = (self.0, &self.1);
            match name.as_str() {
                "Owned" => {
                    *ty = Type::Verbatim(respanned(
                        quote!(<#handle as #runtime::__private::handle::Resource>::In<#lifetime>),
                        handle.span(),
                    ))
                }
                "Borrowed" | "Successors" => arguments
                    .args
                    .insert(0, GenericArgument::Lifetime(lifetime.clone())),
                _ => {}
            }
        }
    }
    let lifetime = Lifetime::new(lifetime, Span::call_site());
    let mut ty = ty.clone();
    Bind(runtime, lifetime).visit_type_mut(&mut ty);
    ty
}

/// `ty` with `'static` for every lifetime and the name of the handle for `Self`. Compile-time
/// checks and the Python class name types this way.
pub(crate) fn erase_lifetimes(ty: &Type, handle: &Type) -> Type {
    struct Detach<'a>(&'a Type);
    impl VisitMut for Detach<'_> {
        fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }

        fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
            reference
                .lifetime
                .get_or_insert_with(|| Lifetime::new("'static", Span::call_site()));
            visit_mut::visit_type_reference_mut(self, reference);
        }

        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::Path(path) if path.path.is_ident("Self")) {
                *ty = self.0.clone();
                return;
            }
            visit_mut::visit_type_mut(self, ty);
        }

        fn visit_path_segment_mut(&mut self, segment: &mut syn::PathSegment) {
            visit_mut::visit_path_segment_mut(self, segment);
            let PathArguments::AngleBracketed(arguments) = &mut segment.arguments else {
                return;
            };
            let bare = !arguments
                .args
                .iter()
                .any(|argument| matches!(argument, GenericArgument::Lifetime(_)));
            if bare
                && ["Owned", "Borrowed", "Successors"]
                    .iter()
                    .any(|name| segment.ident == name)
            {
                arguments.args.insert(
                    0,
                    GenericArgument::Lifetime(Lifetime::new("'static", Span::call_site())),
                );
            }
        }
    }
    let mut ty = ty.clone();
    Detach(handle).visit_type_mut(&mut ty);
    ty
}

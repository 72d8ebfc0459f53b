//! Rewriting the types that the author wrote, for the places where they are written again.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{FnArg, GenericArgument, Lifetime, PathArguments, Signature, Type, TypeReference};

use crate::words::{argument_of, is_slice, respanned};

/// The written type within the generated body, where rustc finds the lifetime.
pub(crate) fn bound_here(ty: &Type, runtime: &TokenStream) -> Type {
    bound_to(ty, runtime, "'_")
}

/// Gives `lifetime` to every argument that a result could be part of, where none is written; false if there is none.
pub(crate) fn bind_inputs(signature: &mut Signature, lifetime: &Lifetime) -> bool {
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

        // What is called has lifetimes of its own.
        fn visit_type_fn_ptr_mut(&mut self, _: &mut syn::TypeFnPtr) {}
        fn visit_type_impl_trait_mut(&mut self, _: &mut syn::TypeImplTrait) {}
        fn visit_type_trait_object_mut(&mut self, _: &mut syn::TypeTraitObject) {}
    }
    let mut bind = Bind(lifetime, false);
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input
            && !is_read(&typed.ty)
            && !matches!(Taken::of(&typed.ty), Taken::Owned(_) | Taken::Python)
        {
            bind.visit_type_mut(&mut typed.ty);
        }
    }
    bind.1
}

/// Whether `ty` is text or memory, which C reads during the call: `&CStr`, `&str`, `&FsPath`, `&[u8]`, `Buffer`, or an option
/// of these.
pub(crate) fn is_read(ty: &Type) -> bool {
    let read = |ty: &Type| ["CStr", "FsPath"].iter().any(|name| is_named(ty, name));
    let inside = argument_of(ty, "Option").unwrap_or(ty);
    is_text(ty)
        || is_bytes(ty)
        || matches!(inside, Type::Reference(reference) if read(&reference.elem))
}

/// The type with `lifetime` where one is missing.
pub(crate) fn bound_to(ty: &Type, runtime: &TokenStream, lifetime: &str) -> Type {
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
                        quote!(<#handle as #runtime::handle::Resource>::In<#lifetime>),
                        handle.span(),
                    ))
                }
                "Borrowed" | "Steps" => arguments
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

/// The type with every lifetime `'static` and `Self` named: what only stands for the type itself, in the Python class.
pub(crate) fn detached(ty: &Type, handle: &Type) -> Type {
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
                && ["Owned", "Borrowed", "Steps"]
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

/// How a parameter gets from Python.
pub(crate) enum Taken {
    /// `&T`
    Ref(Type),
    /// `&mut T`
    Mut(Type),
    /// `Option<&T>`
    OptionRef(Type),
    /// `Option<&mut T>`
    OptionMut(Type),
    /// `Owned<T>`
    Owned(Type),
    /// The interpreter's token.
    Python,
    /// By value, as PyO3 converts it.
    Value,
}

impl Taken {
    pub(crate) fn of(ty: &Type) -> Taken {
        if let Type::Reference(reference) = ty {
            let target = (*reference.elem).clone();
            return if reference.mutability.is_some() {
                Taken::Mut(target)
            } else {
                Taken::Ref(target)
            };
        }
        if let Some(Type::Reference(reference)) = argument_of(ty, "Option") {
            let target = (*reference.elem).clone();
            return if reference.mutability.is_some() {
                Taken::OptionMut(target)
            } else {
                Taken::OptionRef(target)
            };
        }
        if let Some(target) = argument_of(ty, "Owned") {
            return Taken::Owned(target.clone());
        }
        match ty {
            Type::Path(path)
                if path
                    .path
                    .segments
                    .last()
                    .is_some_and(|segment| segment.ident == "Python") =>
            {
                Taken::Python
            }
            _ => Taken::Value,
        }
    }
}

/// Whether `ty` is written exactly as `name`, whatever path leads to it.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

/// Whether `ty` is `&str` or `Option<&str>`.
pub(crate) fn is_text(ty: &Type) -> bool {
    let reference = argument_of(ty, "Option").unwrap_or(ty);
    matches!(reference, Type::Reference(reference) if is_named(&reference.elem, "str"))
}

/// Whether `ty` is bytes of a known length: `&[u8]`, `Buffer`, or an option of these.
pub(crate) fn is_bytes(ty: &Type) -> bool {
    let ty = argument_of(ty, "Option").unwrap_or(ty);
    is_named(ty, "Buffer")
        || matches!(ty, Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)))
}

/// `ty` as one writes it, for a message.
pub(crate) fn written(ty: &Type) -> String {
    ty.to_token_stream().to_string().replace(' ', "")
}

/// The handle types within `ty` that are given as `Owned<…>` or `Borrowed<…>`.
pub(crate) fn given_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Owned", "Borrowed"])
}

/// The handle types within `ty` that are given as `Owned<…>`.
pub(crate) fn owned_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Owned"])
}

/// The handle types within `ty` that are given as `Borrowed<…>`, or by an iterator of these.
pub(crate) fn lent_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Borrowed", "Steps"])
}

/// The lent memory within `ty`: the first `&[u8]`.
pub(crate) fn lent_memory(ty: &Type) -> Option<&Type> {
    struct Find<'a>(Option<&'a Type>);
    impl<'a> Visit<'a> for Find<'a> {
        fn visit_type(&mut self, ty: &'a Type) {
            if is_slice(ty) {
                self.0.get_or_insert(ty);
            }
            visit::visit_type(self, ty);
        }
    }
    let mut find = Find(None);
    find.visit_type(ty);
    find.0
}

/// The form that the names in `ty` give it: a type of `forms` that rustc compares with the type itself.
pub(crate) fn form(ty: &Type, runtime: &TokenStream) -> TokenStream {
    let forms = quote!(#runtime::forms);
    if let Type::Tuple(tuple) = ty
        && !tuple.elems.is_empty()
    {
        let elements = tuple.elems.iter().map(|ty| form(ty, runtime));
        return quote!((#(#elements,)*));
    }
    if let Some(inner) = argument_of(ty, "Option") {
        let inner = form(inner, runtime);
        return quote!(#forms::Maybe<#inner>);
    }
    if let Some(inner) = argument_of(ty, "Vec") {
        let inner = form(inner, runtime);
        return quote!(#forms::Many<#inner>);
    }
    if argument_of(ty, "Owned").is_some() {
        quote!(#forms::Gives)
    } else if argument_of(ty, "Borrowed").is_some() {
        quote!(#forms::Lends)
    } else if is_slice(ty) {
        quote!(#forms::Memory)
    } else if ["String", "CString", "Bytes"]
        .iter()
        .any(|name| is_named(ty, name))
    {
        quote!(#forms::Copied)
    } else {
        quote!(#forms::Value)
    }
}

fn handles_within<'a>(ty: &'a Type, wrappers: &'static [&'static str]) -> Vec<&'a Type> {
    struct Find<'a>(Vec<&'a Type>, &'static [&'static str]);
    impl<'a> Visit<'a> for Find<'a> {
        fn visit_type(&mut self, ty: &'a Type) {
            let handle = self.1.iter().find_map(|name| argument_of(ty, name));
            self.0.extend(handle);
            visit::visit_type(self, ty);
        }
    }
    let mut find = Find(Vec::new(), wrappers);
    find.visit_type(ty);
    find.0
}

//! Functions that recognize the types that the author wrote. Macros see only names, so an alias
//! hides what it stands for.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::visit::{self, Visit};
use syn::visit_mut::{self, VisitMut};
use syn::{Lifetime, Type};

/// Removes the invisible groups around types, which stand where a `macro_rules!` macro passed a type on.
pub(crate) fn ungroup(signature: &mut syn::Signature) {
    struct Ungroup;
    impl VisitMut for Ungroup {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            // The bounds of `dyn A + B` need the group.
            while let Type::Group(group) = ty
                && !matches!(*group.elem, Type::TraitObject(_) | Type::ImplTrait(_))
            {
                *ty = (*group.elem).clone();
            }
            visit_mut::visit_type_mut(self, ty);
        }
    }
    Ungroup.visit_signature_mut(signature);
}

/// The type argument of `name<…>`, or `None` if `ty` has another name.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns `true` for `&[T]`, memory that the caller borrows.
pub(crate) fn is_slice_ref(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)))
}

/// The first named lifetime in `ty`, not counting `allowed`.
pub(crate) fn named_lifetime<'a>(ty: &'a Type, allowed: Option<&Lifetime>) -> Option<&'a Lifetime> {
    struct Find<'a, 'b>(Option<&'a Lifetime>, Option<&'b Lifetime>);
    impl<'a> Visit<'a> for Find<'a, '_> {
        fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
            if lifetime.ident != "_" && Some(lifetime) != self.1 {
                self.0.get_or_insert(lifetime);
            }
        }
    }
    let mut find = Find(None, allowed);
    find.visit_type(ty);
    find.0
}

/// Returns `true` for `OutBuffer<'_>` and `Option<OutBuffer<'_>>`.
pub(crate) fn is_out_buffer(ty: &Type) -> bool {
    is_named(argument_of(ty, "Option").unwrap_or(ty), "OutBuffer")
}

/// Returns `true` if `OutBuffer` stands anywhere in `ty`.
pub(crate) fn contains_out_buffer(ty: &Type) -> bool {
    struct Find(bool);
    impl<'a> Visit<'a> for Find {
        fn visit_type(&mut self, ty: &'a Type) {
            self.0 |= is_named(ty, "OutBuffer");
            visit::visit_type(self, ty);
        }
    }
    let mut find = Find(false);
    find.visit_type(ty);
    find.0
}

/// Returns `true` if the last segment of the path `ty` is `name`.
pub(crate) fn is_named(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == name))
}

/// Returns `true` for `&str` and `Option<&str>`.
pub(crate) fn is_text(ty: &Type) -> bool {
    let reference = argument_of(ty, "Option").unwrap_or(ty);
    matches!(reference, Type::Reference(reference) if is_named(&reference.elem, "str"))
}

/// Returns `true` for bytes with a length: `&[u8]`, `Buffer`, or an `Option` of these.
pub(crate) fn is_bytes(ty: &Type) -> bool {
    let ty = argument_of(ty, "Option").unwrap_or(ty);
    is_named(ty, "Buffer")
        || matches!(ty, Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)))
}

/// Returns `true` for data that C only reads during the call: `&CStr`, `&str`, `&FsPath`, `&[u8]`,
/// `Buffer`, or an `Option` of these.
pub(crate) fn is_call_data(ty: &Type) -> bool {
    let read = |ty: &Type| ["CStr", "FsPath"].iter().any(|name| is_named(ty, name));
    let inside = argument_of(ty, "Option").unwrap_or(ty);
    is_text(ty)
        || is_bytes(ty)
        || matches!(inside, Type::Reference(reference) if read(&reference.elem))
}

/// `ty` as the author wrote it, for messages. See
/// [`qualify_borrowed`](super::lifetimes::qualify_borrowed).
pub(crate) fn type_name(ty: &Type) -> String {
    let name = ty.to_token_stream().to_string().replace(' ', "");
    name.replace("::leakproof::Borrowed<", "Borrowed<")
}

/// The handle types that a result `ty` returns, by `Owned<…>` or `Borrowed<…>`.
pub(crate) fn returned_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Owned", "Borrowed"])
}

/// The handle types within `ty` that stand in `Owned<…>`.
pub(crate) fn owned_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Owned"])
}

/// The handle types within `ty` that stand in `Borrowed<…>` or in an iterator of these.
pub(crate) fn borrowed_handles(ty: &Type) -> Vec<&Type> {
    handles_within(ty, &["Borrowed", "Successors"])
}

/// The first `&[u8]` within `ty`.
pub(crate) fn borrowed_slice(ty: &Type) -> Option<&Type> {
    struct Find<'a>(Option<&'a Type>);
    impl<'a> Visit<'a> for Find<'a> {
        fn visit_type(&mut self, ty: &'a Type) {
            if is_slice_ref(ty) {
                self.0.get_or_insert(ty);
            }
            visit::visit_type(self, ty);
        }
    }
    let mut find = Find(None);
    find.visit_type(ty);
    find.0
}

/// A type of the runtime module `forms` that describes `ty` by its names. rustc compares it with
/// `ty` itself, so that an alias cannot hide a handle.
pub(crate) fn form(ty: &Type, runtime: &TokenStream) -> TokenStream {
    let forms = quote!(#runtime::__private::shape);
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
    } else if is_slice_ref(ty) {
        quote!(#forms::Memory)
    } else if ["String", "CString", "Bytes"]
        .iter()
        .any(|name| is_named(ty, name))
    {
        quote!(#forms::Copied)
    } else if is_named(ty, "OutBuffer") {
        quote!(#forms::Fills)
    } else {
        quote!(#forms::Value)
    }
}

pub(crate) fn handles_within<'a>(ty: &'a Type, wrappers: &'static [&'static str]) -> Vec<&'a Type> {
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

pub(crate) fn is_unit(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty())
}

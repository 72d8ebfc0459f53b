//! The traits of parts that move: `TreePart`, and `TreeOwner` of their owner.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use crate::field_path::FieldPath;
use crate::handle::ast::{ChildList, TreeArg};
use crate::handle::model::{Handle, Ownership};
use crate::span::respanned;
use crate::types::inspect::type_name;

pub(crate) fn expand_tree(handle: &Handle) -> Option<TokenStream> {
    let Ownership::Part {
        owner,
        tree: Some(tree),
        ..
    } = &handle.ownership
    else {
        return None;
    };
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let raw = Ident::new("raw", Span::mixed_site());
    let (parent, next) = (read_part(&tree.parent, &raw), read_part(&tree.next, &raw));
    let object = tree.object.within(&quote!((*#raw)));
    let object = respanned(
        quote!(let object: *mut *mut ::core::ffi::c_void = &raw mut #object;),
        tree.object.span(),
    );
    let list_count = tree.children.len();
    let numbers = 0..list_count;
    let firsts = tree.children.iter().map(|list| expand_first(list, &raw));
    let (owner_raw, root) = expand_is_root(tree, &raw);
    let release = &tree.release;
    let function = quote_spanned!(release.span()=> let release: unsafe extern "C" fn(*mut Self::Raw) -> _ = #release;);
    let message = format!(
        "`{owner}` owns parts with `tree`, which are released before it: it needs a `release` without `on_failure = kept`, \
         no `retain`, and no `lends`, as calls on the parts change what it would lend",
        owner = type_name(owner),
    );
    let unsaid = format!(
        "`{owner}` owns parts that move: add `tree` to the annotation of `{owner}`, so that nothing that lives in it lends \
         memory",
        owner = type_name(owner),
    );
    let check = quote! {
        const _: () = {
            ::core::assert!(<#owner as #runtime::__private::handle::Handle>::SPEC.may_own_tree(), #message);
            ::core::assert!(<#owner as #runtime::__private::handle::Handle>::SPEC.owns_tree, #unsaid);
        };
    };
    let check = respanned(check, owner.span());
    let places = [&tree.parent, &tree.next, &tree.object].into_iter();
    let lists = tree.children.iter();
    let places = places.chain(lists.clone().map(|list| &list.first));
    let places = places.chain(lists.filter_map(|list| Some(&list.when.as_ref()?.0)));
    let raw_of =
        |handle: TokenStream| quote!(<#handle as #runtime::__private::handle::Handle>::Raw);
    let direct = FieldPath::expand_direct_check(places, &raw_of(quote!(#ident)), runtime);
    let direct_root = FieldPath::expand_direct_check(&tree.root, &raw_of(quote!(#owner)), runtime);
    Some(quote! {
        #direct
        #direct_root

        // SAFETY: annotation `tree`: the fields are what the words say, and the function releases a
        // part with all parts below it.
        unsafe impl #runtime::__private::tree::TreePart for #ident {
            const LISTS: ::core::primitive::usize = #list_count;

            unsafe fn parent(#raw: *mut Self::Raw) -> *mut Self::Raw {
                #parent
            }

            unsafe fn next(#raw: *mut Self::Raw) -> *mut Self::Raw {
                #next
            }

            unsafe fn first(#raw: *mut Self::Raw, list: ::core::primitive::usize) -> *mut Self::Raw {
                match list {
                    #(#numbers => #firsts,)*
                    _ => ::core::ptr::null_mut(),
                }
            }

            unsafe fn is_root(
                #raw: *mut Self::Raw,
                #owner_raw: *mut <Self::Owner as #runtime::__private::handle::Handle>::Raw,
            ) -> ::core::primitive::bool {
                #root
            }

            unsafe fn object(#raw: *mut Self::Raw) -> *mut *mut ::core::ffi::c_void {
                // SAFETY: annotation `tree`: the part is valid, and C leaves the field to the
                // application.
                unsafe {
                    #object
                    object
                }
            }

            unsafe fn release(#raw: *mut Self::Raw) {
                #function
                // SAFETY: annotation `tree`: C may release an unlinked part so. The caller's promise:
                // nobody uses it any more.
                let _ = unsafe { release(#raw) };
            }
        }

        // SAFETY: guarantee 26: a second such implementation would not compile.
        unsafe impl #runtime::__private::tree::TreeOwner for #owner {
            type Node = #ident;
        }

        #check
    })
}

/// The part that a field points to.
fn read_part(field: &FieldPath, raw: &Ident) -> TokenStream {
    let value = field.within(&quote!((*#raw)));
    // The type is at the field, so that the compiler names the field that is no pointer.
    let read = respanned(quote!(let part: *mut _ = #value;), field.span());
    quote! {
        // SAFETY: annotation `tree`: the field of a valid part may be read.
        unsafe {
            #read
            part.cast()
        }
    }
}

/// The first part of a list of children.
fn expand_first(list: &ChildList, raw: &Ident) -> TokenStream {
    let within = quote!((*#raw));
    let read = read_part(&list.first, raw);
    match &list.when {
        None => quote!({ #read }),
        Some((tag, values)) => {
            let tag = respanned(tag.within(&within), tag.span());
            quote! {
                // SAFETY: annotation `tree`: the tag may be read at any time.
                match unsafe { #tag } {
                    #values => { #read }
                    _ => ::core::ptr::null_mut(),
                }
            }
        }
    }
}

/// The owner's pointer, and whether the owner has the part as its own.
fn expand_is_root(tree: &TreeArg, raw: &Ident) -> (Ident, TokenStream) {
    let owner = Ident::new("owner", Span::mixed_site());
    let is_owner = quote!(#raw.addr() == #owner.addr());
    let root = match &tree.root {
        None => is_owner,
        Some(root) => {
            let root = respanned(root.within(&quote!((*#owner))), root.span());
            quote! {
                // SAFETY: annotation `tree`: the field of a valid owner may be read.
                #is_owner || unsafe { #root }.addr() == #raw.addr()
            }
        }
    };
    (owner, root)
}

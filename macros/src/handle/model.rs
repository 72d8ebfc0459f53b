//! A handle type with everything that its expansion needs.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{Expr, ItemStruct, Path, Type};

use crate::diagnostics::Diagnostics;
use crate::docs::HeaderComment;
use crate::field_path::FieldPath;
use crate::handle::ast::{ErrorsArg, HandleArgs, LockArg, Release, Sharing, ThreadLocal, TreeArg};
use crate::span::respanned;

/// A handle type.
pub(crate) struct Handle {
    pub(crate) item: ItemStruct,
    pub(crate) class: Ident,
    pub(crate) raw: Type,
    /// The integer type and the invalid value of an integer handle.
    pub(crate) integer: Option<(Type, Expr)>,
    /// `interrupt`: the method that wakes blocked C functions.
    pub(crate) interrupt: Option<Path>,
    pub(crate) comment: HeaderComment,
    /// Set for a handle with side data.
    pub(crate) attachments: bool,
    pub(crate) thread_bound: bool,
    /// `fork_safe`: a forked child may use the handle.
    pub(crate) fork_safe: Option<Ident>,
    pub(crate) sharing: Sharing,
    /// Set for a handle that owns parts that move.
    pub(crate) owns_tree: bool,
    /// `subclass`: Python classes may derive from the class.
    pub(crate) subclass: Option<Ident>,
    pub(crate) ownership: Ownership,
    pub(crate) errors: Option<ErrorsArg>,
    pub(crate) lock: Option<LockArg>,
    pub(crate) thread_locals: Vec<ThreadLocal>,
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) runtime: TokenStream,
}

pub(crate) enum Ownership {
    /// A handle that its owner has to release. `release` is `None` only after a mistake.
    Resource {
        release: Option<Release>,
        parent: Option<Type>,
        /// The parents besides the first.
        extra_parents: Vec<Type>,
        /// The function that adds an owner to a reference-counted object.
        retain: Option<Path>,
        /// Set if C initializes memory that the owner allocated.
        caller_allocates: bool,
        warn_unclosed: bool,
    },
    /// A part of another handle.
    Part {
        owner: Type,
        owner_field: Option<FieldPath>,
        /// Set if the part ends with the next `&mut` use of its owner.
        until_mut: bool,
        /// Set for a part that moves.
        tree: Option<Box<TreeArg>>,
    },
    /// A handle that C lends to a callback.
    CallbackOnly,
}

/// Resolves the arguments of a handle. After a mistake, missing facts get values that cause no
/// further errors.
pub(crate) fn model(args: HandleArgs, item: ItemStruct, diagnostics: &Diagnostics) -> Handle {
    let comment = match &args.raw {
        Some(Type::Path(raw)) => HeaderComment::of(&item.attrs, &raw.path),
        _ => HeaderComment::none(),
    };
    // `raw` wins over `integer` where both are written, which is a mistake.
    let is_pointer = args.raw.is_some();
    let is_number = args.integer.is_some() && !is_pointer;
    let integer = args.integer.and_then(|(_, ty)| ty).filter(|_| !is_pointer);
    let runtime = args.common.runtime();
    let integer = integer.map(|ty| {
        let invalid = args.invalid.and_then(|(_, invalid)| invalid);
        let default = respanned(
            quote!(<#ty as #runtime::__private::handle::InvalidByDefault>::INVALID),
            ty.span(),
        );
        let invalid = invalid.unwrap_or_else(|| Expr::Verbatim(default));
        (ty, invalid)
    });
    let mut parents = match args.parent.and_then(|(_, ty)| ty) {
        Some(Type::Tuple(tuple)) => tuple.elems.into_iter().collect(),
        parent => Vec::from_iter(parent),
    };
    let mut sharing = args.sharing;
    sharing.borrowed_with = args.borrowed_with.and_then(|(_, ty)| ty);
    if let Some(held @ Type::Reference(_)) = parents.first_mut() {
        sharing.holds_parent = true;
        *held = referent(held);
    }
    for parent in parents.iter_mut().skip(1) {
        *parent = referent(parent);
    }
    parents.retain(|ty| !is_itself(ty, &item.ident));
    let mut parents = parents.into_iter();
    Handle {
        attachments: args.attachments.is_some(),
        thread_bound: args.thread_bound.is_some(),
        fork_safe: args.fork_safe,
        owns_tree: args.owns_tree.is_some(),
        subclass: args.subclass.filter(|_| diagnostics.is_empty()),
        sharing,
        integer,
        interrupt: args.interrupt.and_then(|(_, path)| path),
        comment,
        class: format_ident!("{}Class", item.ident),
        raw: args.raw.unwrap_or_else(|| syn::parse_quote!(())),
        ownership: match (args.part_of, args.callback_only) {
            (Some((_, Some(owner))), _) if !is_itself(&owner, &item.ident) => Ownership::Part {
                owner,
                owner_field: args.owner_field.and_then(|(_, field)| field),
                until_mut: args.until_mut.is_some(),
                tree: args
                    .tree
                    .and_then(|(_, tree)| tree)
                    .filter(|_| diagnostics.is_empty())
                    .map(Box::new),
            },
            (Some((_, Some(_))), _) | (_, Some(_)) => Ownership::CallbackOnly,
            _ => Ownership::Resource {
                release: args
                    .release
                    .and_then(|(_, path)| path)
                    .filter(|_| diagnostics.is_empty()),
                retain: args
                    .retain
                    .and_then(|(_, path)| path)
                    .filter(|_| !is_number),
                caller_allocates: args.caller_allocates.is_some(),
                parent: parents.next(),
                extra_parents: parents.collect(),
                warn_unclosed: args.warn_unclosed.is_some(),
            },
        },
        errors: args.errors,
        lock: args.lock,
        thread_locals: args.thread_locals,
        name: args.common.name(&item.ident),
        module: args.common.module(),
        runtime: args.common.runtime(),
        item,
    }
}

/// `P` of `&mut P` or `&P`.
pub(crate) fn referent(ty: &Type) -> Type {
    match ty {
        Type::Reference(reference) => (*reference.elem).clone(),
        other => other.clone(),
    }
}

pub(crate) fn is_itself(ty: &Type, ident: &Ident) -> bool {
    let itself = |path: &Path| path.is_ident("Self") || path.is_ident(ident);
    matches!(ty, Type::Path(ty) if itself(&ty.path))
}

impl Handle {
    pub(crate) fn is_resource(&self) -> bool {
        matches!(self.ownership, Ownership::Resource { .. })
    }

    pub(crate) fn is_ref_counted(&self) -> bool {
        matches!(
            self.ownership,
            Ownership::Resource {
                retain: Some(_),
                ..
            }
        )
    }

    pub(crate) fn releases_detached(&self) -> bool {
        matches!(
            &self.ownership,
            Ownership::Resource {
                release: Some(release),
                ..
            } if release.detach
        )
    }

    pub(crate) fn is_caller_allocated(&self) -> bool {
        matches!(
            self.ownership,
            Ownership::Resource {
                caller_allocates: true,
                ..
            }
        )
    }

    pub(crate) fn warns_unclosed(&self) -> bool {
        matches!(
            self.ownership,
            Ownership::Resource {
                warn_unclosed: true,
                ..
            }
        )
    }

    /// Returns `true` for a part with `owner_field`.
    pub(crate) fn knows_owner(&self) -> bool {
        matches!(
            self.ownership,
            Ownership::Part {
                owner_field: Some(_),
                ..
            }
        )
    }

    /// The ways between the parts, if the handle is a part that moves.
    pub(crate) fn tree(&self) -> Option<&TreeArg> {
        match &self.ownership {
            Ownership::Part { tree, .. } => tree.as_deref(),
            _ => None,
        }
    }

    /// Returns `true` if the handle may still be there after a failed release.
    pub(crate) fn may_be_kept(&self) -> bool {
        matches!(
            &self.ownership,
            Ownership::Resource {
                release: Some(release),
                ..
            } if release.kept_on_failure
        )
    }

    /// The parents besides the first.
    pub(crate) fn extra_parents(&self) -> &[Type] {
        match &self.ownership {
            Ownership::Resource { extra_parents, .. } => extra_parents,
            _ => &[],
        }
    }

    /// Returns `true` if the release or the `&mut` calls of the handle use its parent.
    pub(crate) fn needs_parent(&self) -> bool {
        let Ownership::Resource {
            parent: Some(_),
            release,
            ..
        } = &self.ownership
        else {
            return false;
        };
        let by_release = release
            .as_ref()
            .is_some_and(|release| release.c_args.is_some());
        by_release || self.sharing.holds_parent || self.sharing.mut_parent.is_some()
    }

    /// Returns `true` if the handle is asked for the error after a failed call.
    pub(crate) fn asks_for_errors(&self) -> bool {
        self.errors
            .as_ref()
            .is_some_and(|errors| errors.asks_handle)
    }

    /// The source of the errors of calls on this handle.
    pub(crate) fn errors_type(&self) -> TokenStream {
        let runtime = &self.runtime;
        match &self.errors {
            Some(ErrorsArg { collector, .. }) => quote!(#collector),
            None => quote!(#runtime::__private::error_source::NoErrors),
        }
    }
}

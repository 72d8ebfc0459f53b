//! The rules of a `#[handle(…)]`, one small function each.

use crate::diagnostics::Diagnostics;
use crate::handle::ast::{HandleArgs, Release, ReleaseCArgs, Sharing};
use proc_macro2::Ident;
use syn::{Fields, ItemStruct, Path, Type};

pub(crate) fn check_item(item: &ItemStruct, diagnostics: &Diagnostics) {
    if !matches!(item.fields, Fields::Unit) {
        diagnostics.at(
            &item.fields,
            format!(
                "a handle has no fields, C has them: write `struct {};`",
                item.ident
            ),
        );
    }
    if !item.generics.params.is_empty() {
        diagnostics.at(
            &item.generics,
            "a handle stands for one C type and has no parameters: remove them",
        );
    }
}

pub(crate) fn check_ownership(
    args: &HandleArgs,
    ident: &Ident,
    understood: bool,
    diagnostics: &Diagnostics,
) {
    let kinds = [
        args.release.as_ref().map(|(keyword, _)| keyword),
        args.part_of.as_ref().map(|(keyword, _)| keyword),
        args.callback_only.as_ref(),
    ];
    let given: Vec<&Ident> = kinds.into_iter().flatten().collect();
    match given.as_slice() {
        [] if !understood || args.retain.is_some() || args.caller_allocates.is_some() => {}
        [] => diagnostics.at(
            ident,
            "nothing says who owns this handle: requires either `release = ffi::f` (whoever holds it), \
             `part_of = Owner` (another handle) or `callback_only` (C, for one callback)",
        ),
        [_] => {}
        [first, others @ ..] => {
            for keyword in others {
                diagnostics.at(keyword, format!("`{first}` and `{keyword}` name two owners: keep one of them"));
            }
        }
    }
    if let (Some((keyword, _)), None) = (&args.parent, &args.release) {
        diagnostics.at(
            keyword,
            "`parent` is for handles with a `release`: a part names its owner by `part_of`",
        );
    }
    check_sharing(args, diagnostics);
    check_counted(args, understood, diagnostics);
    for (keyword, ty) in [&args.parent, &args.part_of].into_iter().flatten() {
        let itself = |path: &Path| path.is_ident("Self") || path.is_ident(ident);
        if matches!(ty, Some(Type::Path(ty)) if itself(&ty.path)) {
            diagnostics.at(
                ty,
                format!(
                    "a handle can't live in itself: name another handle, or leave `{keyword}` away"
                ),
            );
        }
    }
    if let (Some((keyword, _)), true) = (&args.integer, args.raw.is_some()) {
        diagnostics.at(
            keyword,
            "a handle is a number or behind a pointer: keep one of `integer` and `raw`",
        );
    }
    if let (Some((keyword, _)), None) = (&args.invalid, &args.integer) {
        diagnostics.at(
            keyword,
            "`invalid` is the number that is no handle: add `integer = c_int`, or remove it",
        );
    }
    for others in [
        args.retain.as_ref().map(|(keyword, _)| keyword),
        args.callback_only.as_ref(),
    ] {
        if let (Some((_, _)), Some(keyword)) = (&args.integer, others) {
            diagnostics.at(
                keyword,
                format!(
                    "a number is whoever's who got it: remove `{keyword}`, and name its `release`"
                ),
            );
        }
    }
    if let (Some((keyword, _)), None, true) = (&args.interrupt, &args.release, understood) {
        diagnostics.at(
            keyword,
            "only what has a `release` can be closed while C blocks: remove `interrupt`",
        );
    }
    if let (Some(keyword), None) = (&args.warn_unclosed, &args.release) {
        diagnostics.at(
            keyword,
            "only what has a `release` can be left unclosed: remove `warn_unclosed`",
        );
    }
    for keyword in [
        args.retain.as_ref().map(|(keyword, _)| keyword),
        args.caller_allocates.as_ref(),
    ] {
        if let (Some(keyword), None, true) = (keyword, &args.release, understood) {
            diagnostics.at(
                keyword,
                format!("what has `{keyword}` has to be released: add `release = ffi::f`"),
            );
        }
    }
    if let (Some((_, Some(release))), None) = (&args.release, &args.parent)
        && release.by_parent.is_some()
    {
        diagnostics.at(
            &release.function,
            "its release needs a parent, and it has none: add `parent = TheHandle`",
        );
    }
    if let (Some((_, Some(release))), Some(_)) = (&args.release, &args.integer)
        && let Some(ReleaseCArgs(_)) = &release.by_parent
    {
        diagnostics.at(
            &release.function,
            "a number that is released with its parent has a meaning only there, and another parent may give the same one: make \
             it `part_of` the parent instead, and release it by a method of that",
        );
    }
    if let Some(keyword) = &args.process_bound {
        diagnostics.at(
            keyword,
            "handles are bound to their process by default: remove `process_bound`; say `fork_safe` for one that is memory \
             alone (no file, lock, socket or thread), which a forked child may then use",
        );
    }
    if let (Some(keyword), None, true) = (&args.fork_safe, &args.release, understood) {
        diagnostics.at(
            keyword,
            "`fork_safe` is for what has a `release`: what lives in a handle is as that is",
        );
    }
    for keyword in [&args.attachments, &args.thread_bound] {
        let Some(keyword) = keyword else { continue };
        if args.release.is_none() && understood {
            diagnostics.at(
                keyword,
                format!(
                    "`{keyword}` is for what has a `release`: what lives in a handle is as that is"
                ),
            );
        } else if args.retain.is_some() {
            diagnostics.at(
                keyword,
                format!("a handle whose owners are counted belongs to nobody alone: remove `{keyword}` or `retain`"),
            );
        }
    }
    if let (Some((keyword, _)), Some((_, _))) = (&args.retain, &args.parent) {
        diagnostics.at(
            keyword,
            "a handle whose owners are counted lives as long as they like, so it has no `parent`: remove one of them",
        );
    }
    if let (Some((keyword, _)), Some((_, Some(Release { kept: true, .. })))) =
        (&args.retain, &args.release)
    {
        diagnostics.at(
            keyword,
            "giving one reference of several back can't be refused: remove `on_failure = kept`",
        );
    }
    if let (Some((keyword, _)), Some(_)) = (&args.retain, &args.caller_allocates) {
        diagnostics.at(
            keyword,
            "what is made in place has one owner: remove `retain`",
        );
    }
    if let (Some(keyword), None) = (&args.until_mut, &args.part_of) {
        diagnostics.at(
            keyword,
            "only a part can be gone before its owner is: add `part_of = Owner`",
        );
    }
    if let (Some((keyword, _)), None) = (&args.owner_field, &args.part_of) {
        diagnostics.at(
            keyword,
            "`owner_field` names the field by which a part knows its owner: add `part_of = Owner`",
        );
    }
}

/// Reference-counted objects may reach each other's memory: the author says which.
pub(crate) fn check_counted(args: &HandleArgs, understood: bool, diagnostics: &Diagnostics) {
    let group = args.borrowed_with.as_ref().map(|(keyword, _)| keyword);
    match (&args.retain, group, &args.independent) {
        (Some((keyword, _)), None, None) if understood => diagnostics.at(
            keyword,
            "objects whose owners are counted can contain each other: add `borrowed_with = Self` if a call on one such \
             object may read or change another, `borrowed_with = Other` to share a group with another type, or \
             `independent` if no call on one object reaches the memory of another",
        ),
        (Some(_), Some(keyword), Some(_)) => diagnostics.at(
            keyword,
            "an `independent` object is borrowed alone: keep one of `borrowed_with` and `independent`",
        ),
        (None, Some(keyword), _) | (None, None, Some(keyword)) if understood => diagnostics.at(
            keyword,
            format!("`{keyword}` is for objects whose owners C counts: add `retain = ffi::f`, or remove it"),
        ),
        _ => {}
    }
}

/// `parent = &mut P`, `mut_parent` and `reads_parent` are three answers to one question.
pub(crate) fn check_sharing(args: &HandleArgs, diagnostics: &Diagnostics) {
    let parents: Vec<&Type> = match &args.parent {
        Some((_, Some(Type::Tuple(tuple)))) => tuple.elems.iter().collect(),
        Some((_, Some(parent))) => vec![parent],
        _ => Vec::new(),
    };
    let is_mut =
        |ty: &Type| matches!(ty, Type::Reference(reference) if reference.mutability.is_some());
    for (index, parent) in parents.iter().enumerate() {
        if matches!(parent, Type::Reference(_)) && !is_mut(parent) {
            diagnostics.at(
                parent,
                "a parent is borrowed shared unless the word is `&mut`: write the type alone",
            );
        } else if index > 0 && is_mut(parent) {
            diagnostics.at(
                parent,
                "only the first parent, the receiver of the method that makes the handle, can be `&mut`: make the \
                 handle by a method of this parent, and name it first",
            );
        }
    }
    let Sharing {
        mut_parent,
        reads_parent,
        ..
    } = &args.sharing;
    for keyword in [mut_parent, reads_parent].into_iter().flatten() {
        if args.parent.is_none() {
            diagnostics.at(
                keyword,
                format!(
                    "`{keyword}` says how calls use the parent: add `parent = TheHandle`, or remove it"
                ),
            );
        }
    }
    if let (Some(keyword), Some(_)) = (reads_parent, mut_parent) {
        diagnostics.at(
            keyword,
            "`mut_parent` changes the parent and `reads_parent` does not: keep one of them",
        );
    }
    if let Some(keyword) = mut_parent.as_ref().or(reads_parent.as_ref())
        && parents.first().is_some_and(|parent| is_mut(parent))
    {
        diagnostics.at(
            keyword,
            format!(
                "`parent = &mut …` keeps all others from the parent already: remove `{keyword}`"
            ),
        );
    }
}

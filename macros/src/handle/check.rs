//! The rules of a `#[handle(…)]`, one small function each.

use proc_macro2::Ident;
use syn::{Fields, ItemStruct, Type};

use crate::diagnostics::Diagnostics;
use crate::handle::ast::{HandleArgs, Release, Sharing};
use crate::handle::model::is_itself;

pub(crate) fn check(args: &HandleArgs, item: &ItemStruct, diagnostics: &Diagnostics) {
    check_item(item, diagnostics);
    check_c_type(args, item, diagnostics);
    check_ownership(args, &item.ident, diagnostics);
    check_parent(args, diagnostics);
    check_sharing(args, diagnostics);
    check_borrow_group(args, diagnostics);
    check_not_itself(args, &item.ident, diagnostics);
    check_integer(args, diagnostics);
    check_requires_release(args, diagnostics);
    check_release_args(args, diagnostics);
    check_fork(args, diagnostics);
    check_attachments(args, diagnostics);
    check_ref_counted(args, diagnostics);
    check_part(args, diagnostics);
    check_tree(args, diagnostics);
    check_subclass(args, diagnostics);
}

/// The name of an argument that is there.
fn name_of<T>(arg: &Option<(Ident, T)>) -> Option<&Ident> {
    arg.as_ref().map(|(name, _)| name)
}

fn check_item(item: &ItemStruct, diagnostics: &Diagnostics) {
    if !matches!(item.fields, Fields::Unit) {
        diagnostics.at(
            &item.fields,
            format!(
                "a handle type has no Rust fields, because its fields are those of the C struct: write `struct {};`",
                item.ident
            ),
        );
    }
    if !item.generics.params.is_empty() {
        diagnostics.at(
            &item.generics,
            "a handle type stands for one C type, so it cannot be generic: remove the parameters",
        );
    }
}

fn check_c_type(args: &HandleArgs, item: &ItemStruct, diagnostics: &Diagnostics) {
    if args.understood && !args.has_c_type {
        diagnostics.at(
            &item.ident,
            "a handle needs its C type: add `raw = ffi::the_type`",
        );
    }
}

fn check_ownership(args: &HandleArgs, ident: &Ident, diagnostics: &Diagnostics) {
    let owners = [
        name_of(&args.release),
        name_of(&args.part_of),
        args.callback_only.as_ref(),
    ];
    let owners: Vec<&Ident> = owners.into_iter().flatten().collect();
    match owners.as_slice() {
        [] if !args.understood || args.retain.is_some() || args.caller_allocates.is_some() => {}
        [] => diagnostics.at(
            ident,
            "the owner of this handle is not specified: add `release = ffi::f` if the code that gets it has to release \
             it, `part_of = Owner` if it lives inside another handle, or `callback_only` if C lends it to a callback",
        ),
        [_] => {}
        [first, others @ ..] => {
            for other in others {
                diagnostics.at(
                    other,
                    format!(
                        "a handle has one owner, and `{first}` and `{other}` name two: keep one of them"
                    ),
                );
            }
        }
    }
}

fn check_parent(args: &HandleArgs, diagnostics: &Diagnostics) {
    if let (Some(parent), None) = (name_of(&args.parent), &args.release) {
        diagnostics.at(
            parent,
            "`parent` requires `release`: add `release = ffi::f`, or write `part_of = Owner` instead of `parent`",
        );
    }
}

/// Checks `parent = &mut P`, `mut_parent` and `reads_parent`, which are three answers to one
/// question.
fn check_sharing(args: &HandleArgs, diagnostics: &Diagnostics) {
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
                "a parent is borrowed shared by default: write the type without `&`",
            );
        } else if index > 0 && is_mut(parent) {
            diagnostics.at(
                parent,
                "only the first parent can be `&mut`, because it is the receiver of the method that makes the handle: make \
                 the handle by a method of this parent, and name this parent first",
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
                    "`{keyword}` describes how calls use the parent: add `parent = TheHandle`, or remove `{keyword}`"
                ),
            );
        }
    }
    if let (Some(reads), Some(_)) = (reads_parent, mut_parent) {
        diagnostics.at(
            reads,
            "calls change the parent with `mut_parent`, and leave it unchanged with `reads_parent`: keep one of them",
        );
    }
    if let Some(keyword) = mut_parent.as_ref().or(reads_parent.as_ref())
        && parents.first().is_some_and(|parent| is_mut(parent))
    {
        diagnostics.at(
            keyword,
            format!(
                "`parent = &mut …` excludes all other uses of the parent already: remove `{keyword}`"
            ),
        );
    }
}

/// Checks that a reference-counted type says which objects may reach each other's memory.
fn check_borrow_group(args: &HandleArgs, diagnostics: &Diagnostics) {
    match (
        name_of(&args.retain),
        name_of(&args.borrowed_with),
        &args.independent,
    ) {
        (Some(retain), None, None) if args.understood => diagnostics.at(
            retain,
            "reference-counted objects can contain each other: add `borrowed_with = Self` if a call on one such \
             object may read or change another, `borrowed_with = Other` to share a group with another type, or \
             `independent` if no call on one object reaches the memory of another",
        ),
        (Some(_), Some(group), Some(_)) => diagnostics.at(
            group,
            "an `independent` object is not borrowed together with others: keep one of `borrowed_with` and `independent`",
        ),
        (None, Some(keyword), _) | (None, None, Some(keyword)) if args.understood => {
            let other_way = match keyword == "borrowed_with" {
                true => {
                    "; handles that C does not count share what is their parent, with `parent = P, mut_parent`"
                }
                false => "",
            };
            diagnostics.at(
                keyword,
                format!(
                    "`{keyword}` is for reference-counted handles: add `retain = ffi::f`, or remove `{keyword}`{other_way}"
                ),
            );
        }
        _ => {}
    }
}

fn check_not_itself(args: &HandleArgs, ident: &Ident, diagnostics: &Diagnostics) {
    for (keyword, ty) in [&args.parent, &args.part_of].into_iter().flatten() {
        if let Some(ty) = ty
            && is_itself(ty, ident)
        {
            diagnostics.at(
                ty,
                format!(
                    "a handle can't live in itself: name another handle, or remove `{keyword}`"
                ),
            );
        }
    }
}

fn check_integer(args: &HandleArgs, diagnostics: &Diagnostics) {
    if let (Some(integer), true) = (name_of(&args.integer), args.raw.is_some()) {
        diagnostics.at(
            integer,
            "a handle is an integer or a pointer: keep one of `integer` and `raw`",
        );
    }
    if let (Some(invalid), None) = (name_of(&args.invalid), &args.integer) {
        diagnostics.at(
            invalid,
            "`invalid` is the integer that is no valid handle: add `integer = c_int`, or remove `invalid`",
        );
    }
    if let (Some(_), Some(retain)) = (&args.integer, name_of(&args.retain)) {
        diagnostics.at(
            retain,
            "integer handles cannot be reference counted: remove `retain`",
        );
    }
    if let (Some(_), Some(callback_only)) = (&args.integer, &args.callback_only) {
        diagnostics.at(
            callback_only,
            "integer handles cannot be `callback_only`: add `release = ffi::f` instead",
        );
    }
}

/// Checks the arguments that make sense only for a handle with a release.
fn check_requires_release(args: &HandleArgs, diagnostics: &Diagnostics) {
    if args.release.is_some() {
        return;
    }
    if let (Some(interrupt), true) = (name_of(&args.interrupt), args.understood) {
        diagnostics.at(
            interrupt,
            "`interrupt` wakes a blocked call so that the handle can be closed, and a handle without `release` cannot be \
             closed: remove `interrupt`",
        );
    }
    if let Some(warn_unclosed) = &args.warn_unclosed {
        diagnostics.at(
            warn_unclosed,
            "a handle without `release` cannot be left unclosed: remove `warn_unclosed`",
        );
    }
    for keyword in [name_of(&args.retain), args.caller_allocates.as_ref()]
        .into_iter()
        .flatten()
    {
        if args.understood {
            let nothing = match keyword == "caller_allocates" {
                true => {
                    "; if there is nothing to release, add `pub fn keep(_: *mut T) {}` to `mod ffi`, and `release = ffi::keep`"
                }
                false => "",
            };
            diagnostics.at(
                keyword,
                format!("`{keyword}` requires `release`: add `release = ffi::f`{nothing}"),
            );
        }
    }
}

/// Checks `args = (parent, self)` of a release.
fn check_release_args(args: &HandleArgs, diagnostics: &Diagnostics) {
    let Some((_, Some(release))) = &args.release else {
        return;
    };
    if release.c_args.is_none() {
        return;
    }
    if args.parent.is_none() {
        diagnostics.at(
            &release.function,
            "the release function takes the parent, and this handle has none: add `parent = TheHandle`",
        );
    }
    if args.integer.is_some() {
        diagnostics.at(
            &release.function,
            "an integer handle that is released with its parent is unique only within that parent: annotate it as `part_of` \
             the parent instead, and release it by a method of the parent",
        );
    }
}

fn check_fork(args: &HandleArgs, diagnostics: &Diagnostics) {
    if let Some(process_bound) = &args.process_bound {
        diagnostics.at(
            process_bound,
            "handles are bound to their process by default: remove `process_bound`; add `fork_safe` to a handle that holds \
             only memory (no file, lock, socket or thread), so that a forked child may use it",
        );
    }
    if let (Some(fork_safe), None, true) = (&args.fork_safe, &args.release, args.understood) {
        diagnostics.at(
            fork_safe,
            "`fork_safe` requires `release`: a handle without a release is as fork-safe as its owner, so remove `fork_safe`",
        );
    }
}

fn check_attachments(args: &HandleArgs, diagnostics: &Diagnostics) {
    for keyword in [&args.attachments, &args.thread_bound]
        .into_iter()
        .flatten()
    {
        if args.release.is_none() && args.understood {
            diagnostics.at(
                keyword,
                format!(
                    "`{keyword}` requires `release`: annotate the owner of this handle with it, and remove it here"
                ),
            );
        } else if args.retain.is_some() {
            diagnostics.at(
                keyword,
                format!(
                    "`{keyword}` is for a handle with one owner, and a reference-counted handle has several: remove `{keyword}` \
                     or `retain`"
                ),
            );
        }
    }
}

fn check_ref_counted(args: &HandleArgs, diagnostics: &Diagnostics) {
    let Some(retain) = name_of(&args.retain) else {
        return;
    };
    if args.parent.is_some() {
        diagnostics.at(
            retain,
            "a reference-counted handle lives until its last owner releases it, so it has no `parent`: remove `retain` or \
             `parent`",
        );
    }
    if let Some((
        _,
        Some(Release {
            kept_on_failure: true,
            ..
        }),
    )) = &args.release
    {
        diagnostics.at(
            retain,
            "the release of one reference cannot be refused: remove `on_failure = kept`",
        );
    }
    if args.caller_allocates.is_some() {
        diagnostics.at(
            retain,
            "a handle in memory that the caller allocates has one owner: remove `retain`",
        );
    }
}

fn check_part(args: &HandleArgs, diagnostics: &Diagnostics) {
    if args.part_of.is_some() {
        return;
    }
    if let Some(until_mut) = &args.until_mut {
        diagnostics.at(
            until_mut,
            "`until_mut` ends a part with the next `&mut` use of its owner: add `part_of = Owner`, or remove `until_mut`",
        );
    }
    if let Some(owner_field) = name_of(&args.owner_field) {
        diagnostics.at(
            owner_field,
            "`owner_field` names the C field that points to the owner of a part: add `part_of = Owner`, or remove \
             `owner_field`",
        );
    }
}

/// Checks `tree(…)`.
fn check_tree(args: &HandleArgs, diagnostics: &Diagnostics) {
    if let (Some(owns_tree), None, true) = (&args.owns_tree, &args.release, args.understood) {
        diagnostics.at(
            owns_tree,
            "`tree` says how the parts are linked: write `tree(parent = field, children = field, next = field, object = \
             field, release = ffi::the_function)`; `tree` alone is for the owner of such parts, which has a `release`",
        );
    }
    if let (Some(_), Some(lends)) = (&args.owns_tree, &args.sharing.lends) {
        diagnostics.at(
            lends,
            "the owner of a tree lends no memory, because a change of the tree may free it: remove `lends`, and return copies",
        );
    }
    let Some(tree) = name_of(&args.tree) else {
        return;
    };
    if args.part_of.is_none() || args.owner_field.is_none() {
        diagnostics.at(
            tree,
            "`tree` is for parts that move within their owner, which each part has to know: add `part_of = Owner` and \
             `owner_field = field`",
        );
    }
    if let Some(until_mut) = &args.until_mut {
        diagnostics.at(
            until_mut,
            "a part with `tree` stays valid when the tree changes: remove `until_mut`",
        );
    }
}

/// Checks that a class that others may derive from can have a constructor, by which Python makes their instances.
fn check_subclass(args: &HandleArgs, diagnostics: &Diagnostics) {
    let Some(subclass) = args.subclass.as_ref().filter(|_| args.understood) else {
        return;
    };
    if let Some(parent) = name_of(&args.parent) {
        diagnostics.at(
            subclass,
            format!(
                "an instance of a derived class is made by the constructor, and a handle with `{parent}` is made by a method \
                 of that: remove `subclass`, and write a Python class that holds the handle"
            ),
        );
    } else if args.release.is_none() {
        let maker = match args.callback_only.is_some() {
            true => "C, which lends it to a callback",
            false => "its owner",
        };
        diagnostics.at(
            subclass,
            format!(
                "an instance of a derived class is made by the constructor, and a handle without `release` comes from {maker}: \
                 remove `subclass`, and write a Python class that holds the handle"
            ),
        );
    }
}

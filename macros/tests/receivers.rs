//! The code that the macros write calls no method that a trait of the author's can take the place of.
//!
//! A trait in scope may have a method of the same name for each type. rustc looks for methods that take the value
//! before it looks for those by `&self`, and for these before those by `&mut self`, whoever has them. So the receiver
//! of a method by reference is a reference: `(&x).start()`. Of the methods that take what the receiver is, rustc
//! prefers the type's own ones.

mod files;

use std::path::Path;

use files::{root, sources};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Methods that take the value itself.
const BY_VALUE: &str = "
    add_subclass and_then begin call_fallible cast_into detached_release end extra_parents fallible_release integer \
    interruptible into into_any into_raw is_some_and keeping lent_by limited_by map map_err ok on_outcome otherwise part \
    reading_parent ref_counted release saturating_sub then_some unlimited_by using value warn_unclosed with_details \
    with_foreign with_interrupt with_owner_field with_status with_tree zero_rest extract \
    #call #with";

/// Methods of pointers, which are copied.
const OF_POINTERS: &str = "addr cast cast_const cast_mut is_null";

/// Methods of variables that are references, or of `self`.
const OF_REFERENCES: &str =
    "as_any contains debug_struct field finish get_type number run store #convert #name";

/// Methods that are called in constants, where traits have none.
const IN_CONSTANTS: &str = "
    as_bytes call_is_one_step has_home hides_owner is_callback_only is_counted is_empty is_none is_process_bound \
    is_reached_by_keeper is_tree_part len lends_memory lives_in_memory lives_in_tree_owner may_be_kept_in \
    may_borrow_parent may_own_tree release_is_one_step says_what_it_changes";

/// Methods of one receiver that is a value, or a reference by its type.
const OTHERS: &[(&str, &str)] = &[
    // A method of `Borrowed`, by value.
    ("callbacks/expand.rs", "get"),
    ("callbacks/expand.rs", "raw"),
    // The holder is a reference.
    ("record/python.rs", "get"),
    // `it` is a reference.
    ("methods/expand/python.rs", "get"),
    // A context is a reference.
    ("methods/expand/python.rs", "py"),
    // Traits answer here, and one of the author's is ambiguous.
    ("convert/shape.rs", "check"),
    ("direct/mod.rs", "into_reply"),
];

fn is_punct(tree: Option<&TokenTree>, character: char) -> bool {
    matches!(tree, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn is_group(tree: Option<&TokenTree>) -> bool {
    matches!(tree, Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis)
}

/// Returns the name of the method that is called behind the dot at `at`.
fn called(trees: &[TokenTree], at: usize) -> Option<String> {
    let is_interpolated = is_punct(trees.get(at + 1), '#');
    let name = at + 1 + usize::from(is_interpolated);
    let TokenTree::Ident(ident) = trees.get(name)? else {
        return None;
    };
    let mut next = name + 1;
    if is_punct(trees.get(next), ':') {
        let ends = (next..trees.len()).find(|index| is_punct(trees.get(*index), '>'))?;
        next = ends + 1;
    }
    let mark = if is_interpolated { "#" } else { "" };
    is_group(trees.get(next)).then(|| format!("{mark}{ident}"))
}

/// Adds the methods that a template calls on what is written as no reference.
fn add_called(template: TokenStream, found: &mut Vec<String>) {
    let trees: Vec<TokenTree> = template.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        if let TokenTree::Group(group) = tree {
            add_called(group.stream(), found);
        }
        let is_reference = |tree: &TokenTree| match tree {
            TokenTree::Group(group) => is_punct(group.stream().into_iter().next().as_ref(), '&'),
            _ => false,
        };
        let before = at.checked_sub(1).and_then(|before| trees.get(before));
        if is_punct(Some(tree), '.') && !before.is_some_and(is_reference) {
            found.extend(called(&trees, at));
        }
    }
}

/// Adds the methods that the templates in `tokens` call: those of `quote!`, and of the macros that these call.
fn find_templates(tokens: TokenStream, found: &mut Vec<String>) {
    let trees: Vec<TokenTree> = tokens.into_iter().collect();
    for (at, tree) in trees.iter().enumerate() {
        let TokenTree::Group(group) = tree else {
            continue;
        };
        let behind = |steps: usize| at.checked_sub(steps).and_then(|index| trees.get(index));
        let names = |steps, name: &str| matches!(behind(steps), Some(TokenTree::Ident(ident)) if ident == name);
        let is_rule =
            names(3, "macro_rules") && is_punct(behind(2), '!') && begins_with(behind(1), "__");
        let is_spanned = names(2, "quote_spanned");
        match is_punct(behind(1), '!') && (names(2, "quote") || is_spanned) || is_rule {
            true if is_spanned => {
                let mut template = group.stream().into_iter();
                let _span = template.by_ref().find(|tree| is_punct(Some(tree), '='));
                add_called(template.collect(), found);
            }
            true => add_called(group.stream(), found),
            false => find_templates(group.stream(), found),
        }
    }
}

fn begins_with(tree: Option<&TokenTree>, start: &str) -> bool {
    matches!(tree, Some(TokenTree::Ident(ident)) if ident.to_string().starts_with(start))
}

fn is_allowed(path: &Path, method: &str) -> bool {
    let lists = [BY_VALUE, OF_POINTERS, OF_REFERENCES, IN_CONSTANTS];
    let mut listed = lists.into_iter().flat_map(str::split_whitespace);
    let mut others = OTHERS.iter();
    listed.any(|name| name == method)
        || others.any(|(file, name)| path.ends_with(file) && *name == method)
}

#[test]
fn calls_in_templates_are_found() {
    let source =
        "fn f() { quote!(#x.start(), (&#x).end(), #x.#y(1), x.z::<#ty>(), (&mut #x).get(), 0.1); }
        fn g() { x.not(); } macro_rules! __rule { ($x:ident) => { $x.rule() } }";
    let mut found = Vec::new();
    find_templates(source.parse().unwrap(), &mut found);
    assert_eq!(found, ["start", "#y", "z", "rule"]);
}

#[test]
fn methods_by_reference_are_called_on_references() {
    let mut wrong = Vec::new();
    for folder in ["macros/src", "runtime/src"] {
        for (path, text) in sources(&root().join(folder)) {
            let mut found = Vec::new();
            find_templates(text.parse().unwrap(), &mut found);
            let refused = found
                .into_iter()
                .filter(|method| !is_allowed(&path, method));
            wrong.extend(refused.map(|method| format!("{}: {method}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "write `(&x).method()`: {wrong:#?}");
}

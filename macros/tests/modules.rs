//! The modules of a crate import each other in one direction: cycles are listed here, each with its reason.

mod files;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use files::{root, sources};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The cycles that there may be: crate, modules, reason.
const CYCLES: &[(&str, &[&str], &str)] = &[
    (
        "runtime/src",
        &["asks_handle", "error_source", "handle::traits"],
        "a handle names its error source, and an error source is of a handle",
    ),
    (
        "runtime/src",
        &["uses::call", "uses::release"],
        "a use ends with its guard, which runs the releases that waited for it",
    ),
    (
        "runtime/src",
        &[
            "python::ancestors",
            "python::borrow_request",
            "python::handle_class",
            "python::pending_release",
            "python::state",
            "python::state::resource",
            "python::state::view",
            "python::thread_bound",
            "python::waiting",
        ],
        "a Python object has a state, of a resource or of a view, which refers to the objects of its parents; a release \
         borrows them, waits, or goes to their thread",
    ),
    (
        "runtime/src",
        &["python::call", "python::object"],
        "a handle type says how a call's result becomes an object, and a call is on a handle type",
    ),
    (
        "xml-safe/src",
        &[
            "adopt",
            "attribute_nodes",
            "attributes",
            "change",
            "children",
            "copy",
            "create",
            "document",
            "dtd",
            "duplicate",
            "ids",
            "info",
            "moves",
            "node",
            "order",
            "reconcile",
            "redeclare",
            "references",
            "serialize::uris",
            "text",
            "turn",
            "undo",
            "xpath::compiled",
            "xpath::context",
            "xpath::evaluate",
            "xpath::functions",
            "xpath::options",
            "xpath::values",
        ],
        "libxml2's structs point at each other: a document has nodes and contexts, and a node knows its document; an \
         evaluation calls functions, which get values of its document and may evaluate",
    ),
];

/// Path segments, without generic arguments.
type Segments = Vec<String>;

/// The imports of a module: paths as written, and names that it exports from elsewhere.
#[derive(Default)]
struct Imports {
    paths: Vec<Segments>,
    exports: Vec<Segments>,
}

/// The name of the module in a file, as a path in the crate. Empty for `lib.rs`.
fn module_name(folder: &Path, file: &Path) -> Segments {
    let path = file.strip_prefix(folder).unwrap().with_extension("");
    let mut name: Segments = path
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    name.pop_if(|last| last == "mod" || last == "lib");
    name
}

fn is_punct(token: Option<&TokenTree>, character: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == character)
}

fn ident(token: Option<&TokenTree>) -> Option<String> {
    match token {
        Some(TokenTree::Ident(ident)) => Some(ident.to_string()),
        _ => None,
    }
}

/// Reads a `use` tree from its tokens.
fn use_tree(tokens: &[TokenTree], before: &[String], found: &mut Vec<Segments>) {
    let mut path = before.to_vec();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(name) if name == "as" => break,
            TokenTree::Ident(name) => path.push(name.to_string()),
            TokenTree::Group(group) => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| is_punct(Some(token), ',');
                for part in inner.split(is_comma).filter(|part| !part.is_empty()) {
                    use_tree(part, &path, found);
                }
                return;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' && index > 0 => break,
            _ => {}
        }
    }
    found.push(path);
}

/// Collects the paths in `tokens`: those of `use`, and those that begin with `crate`, `self` or `super`. Leaves out
/// tests, and paths in macros that another crate expands (`$crate`).
fn imports(tokens: TokenStream, found: &mut Imports) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut index = 0;
    let mut is_test = false;
    while index < tokens.len() {
        match &tokens[index] {
            TokenTree::Punct(punct) if punct.as_char() == '#' => {
                if let Some(TokenTree::Group(group)) = tokens.get(index + 1)
                    && group.delimiter() == Delimiter::Bracket
                {
                    is_test |= group.stream().to_string().replace(' ', "") == "cfg(test)";
                    index += 1;
                }
            }
            TokenTree::Ident(name) if name == "use" => {
                let length = tokens[index..]
                    .iter()
                    .position(|token| is_punct(Some(token), ';'));
                let end = index + length.unwrap_or(tokens.len() - index);
                let mut paths = Vec::new();
                use_tree(&tokens[index + 1..end], &[], &mut paths);
                let is_export = index > 0
                    && matches!(&tokens[index - 1], TokenTree::Ident(word) if word == "pub")
                    || index > 1
                        && matches!(&tokens[index - 2], TokenTree::Ident(word) if word == "pub");
                if is_export {
                    found.exports.extend(paths.iter().cloned());
                }
                found.paths.append(&mut paths);
                index = end;
            }
            TokenTree::Ident(name)
                if ["crate", "self", "super"].iter().any(|start| name == start) =>
            {
                let is_foreign = index > 0 && is_punct(tokens.get(index - 1), '$');
                let mut path = vec![name.to_string()];
                while is_punct(tokens.get(index + 1), ':') && is_punct(tokens.get(index + 2), ':') {
                    let Some(name) = ident(tokens.get(index + 3)) else {
                        break;
                    };
                    path.push(name);
                    index += 3;
                }
                if !is_foreign && path.len() > 1 {
                    found.paths.push(path);
                }
            }
            TokenTree::Group(group) => {
                if !is_test {
                    imports(group.stream(), found);
                }
                if group.delimiter() == Delimiter::Brace {
                    is_test = false;
                }
            }
            _ => {}
        }
        index += 1;
    }
}

/// The modules of a crate, each with those that it imports.
struct Graph(BTreeMap<String, BTreeSet<String>>);

impl Graph {
    fn of(folder: &Path) -> Self {
        let mut modules = BTreeMap::new();
        for (file, text) in sources(folder) {
            let mut found = Imports::default();
            imports(text.parse().unwrap(), &mut found);
            modules.insert(module_name(folder, &file), found);
        }
        Self::from_imports(&modules)
    }

    fn from_imports(modules: &BTreeMap<Segments, Imports>) -> Self {
        // A name that a module exports belongs to the module that defines it.
        let mut exports = BTreeMap::new();
        for (module, found) in modules {
            for path in &found.exports {
                if let (Some(absolute), Some(name)) = (absolute(modules, module, path), path.last())
                {
                    exports.insert((module.clone(), name.clone()), absolute);
                }
            }
        }
        let mut edges = BTreeMap::new();
        for (module, found) in modules.iter().filter(|(module, _)| !module.is_empty()) {
            let targets = found.paths.iter().filter_map(|path| {
                let target = defining(modules, &exports, absolute(modules, module, path)?);
                (!target.is_empty() && target != *module).then(|| target.join("::"))
            });
            edges.insert(module.join("::"), targets.collect());
        }
        Graph(edges)
    }

    /// Returns the modules that are reached from `from`.
    fn reached<'a>(&'a self, from: &'a str) -> BTreeSet<&'a str> {
        let (mut found, mut next) = (BTreeSet::new(), vec![from]);
        while let Some(here) = next.pop() {
            for target in &self.0[here] {
                if found.insert(target.as_str()) {
                    next.push(target);
                }
            }
        }
        found
    }

    /// Returns the sets of modules that all reach each other.
    fn cycles(&self) -> BTreeSet<Vec<&str>> {
        let reached: BTreeMap<&str, BTreeSet<&str>> = self
            .0
            .keys()
            .map(|module| (module.as_str(), self.reached(module)))
            .collect();
        let mut cycles = BTreeSet::new();
        for (module, targets) in &reached {
            if targets.contains(module) {
                let both = targets
                    .iter()
                    .filter(|other| reached[*other].contains(module));
                cycles.insert(both.copied().collect());
            }
        }
        cycles
    }
}

/// Returns the path from the root of the crate; `None` for a path into another crate.
fn absolute(
    modules: &BTreeMap<Segments, Imports>,
    module: &[String],
    path: &[String],
) -> Option<Segments> {
    let (mut base, mut rest) = (module.to_vec(), path);
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while rest.first().is_some_and(|first| first == "super") {
                base.pop();
                rest = &rest[1..];
            }
        }
        first => {
            let child = [module, &[first.to_owned()]].concat();
            if !modules.contains_key(&child) {
                return None;
            }
        }
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Returns the module that defines the item at `path`.
fn defining(
    modules: &BTreeMap<Segments, Imports>,
    exports: &BTreeMap<(Segments, String), Segments>,
    mut path: Segments,
) -> Segments {
    // An export may lead to another one.
    for _ in 0..8 {
        let length = (0..=path.len())
            .rev()
            .find(|length| modules.contains_key(&path[..*length]))
            .unwrap_or(0);
        let module = path[..length].to_vec();
        let exported = path
            .get(length)
            .and_then(|name| exports.get(&(module.clone(), name.clone())));
        match exported {
            Some(target) => path = [target, &path[length + 1..]].concat(),
            None => return module,
        }
    }
    panic!("{path:?} is exported in a circle");
}

#[test]
fn a_cycle_through_an_export_is_found() {
    let text = |text: &str| {
        let mut found = Imports::default();
        imports(text.parse().unwrap(), &mut found);
        found
    };
    let name = |name: &str| {
        name.split("::")
            .map(ToOwned::to_owned)
            .collect::<Segments>()
    };
    let modules = BTreeMap::from([
        (
            Vec::new(),
            text("pub use door::Item; mod door; mod low; mod high;"),
        ),
        (name("door"), text("mod room; pub use room::Item;")),
        (
            name("door::room"),
            text("pub struct Item(crate::high::Other);"),
        ),
        (
            name("high"),
            text("use crate::{low::{self, Thing}, Item}; use std::fmt;"),
        ),
        (
            name("low"),
            text(
                "#[cfg(test)] mod tests { use crate::high::Other; } macro_rules! m { () => { $crate::high::f() } }",
            ),
        ),
    ]);
    let graph = Graph::from_imports(&modules);
    assert_eq!(
        graph.0["high"],
        BTreeSet::from(["door::room".to_owned(), "low".to_owned()])
    );
    assert_eq!(graph.cycles(), BTreeSet::from([vec!["door::room", "high"]]));
}

#[test]
fn modules_import_each_other_in_one_direction() {
    let mut report = Vec::new();
    for folder in ["runtime/src", "macros/src", "xml-safe/src"] {
        let graph = Graph::of(&root().join(folder));
        let cycles = graph.cycles();
        let allowed: BTreeSet<Vec<&str>> = CYCLES
            .iter()
            .filter(|(of, ..)| *of == folder)
            .map(|(_, modules, _)| modules.to_vec())
            .collect();
        for cycle in cycles.difference(&allowed) {
            let edges = cycle.iter().flat_map(|module| {
                let inside = graph.0[*module]
                    .iter()
                    .filter(|target| cycle.contains(&target.as_str()));
                inside.map(move |target| format!("  {module} -> {target}\n"))
            });
            report.push(format!(
                "{folder}: a cycle of {cycle:?}:\n{}",
                edges.collect::<String>()
            ));
        }
        for cycle in allowed.difference(&cycles) {
            report.push(format!(
                "{folder}: there is no cycle {cycle:?} any more: remove it from the list"
            ));
        }
    }
    assert!(report.is_empty(), "{}", report.join("\n"));
}

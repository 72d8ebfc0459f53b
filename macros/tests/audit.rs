//! Every `unsafe` block, `unsafe impl` and `unsafe extern` of the runtime and of the macros says what makes it sound,
//! in a form that can be checked: the rules of SAFETY.md that it relies on, by number, or who else answers for it.
//!
//! `docs/unsafe.md` holds the table of all of them, below the tests of each rule. After a change, write the table anew
//! and read what changed: `make audit`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs};

use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};

const TABLE: &str = "docs/unsafe.md";
const BEGIN: &str = "<!-- written by macros/tests/audit.rs -->\n";
/// The number of lines of one expression that may stand between a comment and the word `unsafe`.
const NEAR: usize = 7;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The files with this ending below `folder`, by their paths from the root.
fn files(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap() {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path);
            } else if let Some(path) = path.to_str().filter(|path| path.ends_with(ending)) {
                found.push(path.to_owned());
            }
        }
    }
    found.sort();
    found
}

/// One use of the word `unsafe` that asserts something.
struct Unsafe {
    /// The functions, macros and templates that it stands in, or the `impl` itself.
    place: String,
    line: usize,
}

/// Tokens as one writes them, nearly.
fn written(tokens: &[TokenTree]) -> String {
    let mut text = tokens
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(" ");
    let shorter = [
        ("# ", "#"),
        (" ,", ","),
        (" :", ":"),
        (": :", "::"),
        (":: ", "::"),
        (" <", "<"),
        ("< ", "<"),
        (" >", ">"),
        ("& ", "&"),
        ("* ", "*"),
        ("' ", "'"),
        ("$ ", "$"),
        ("- >", "->"),
    ];
    for (long, short) in shorter {
        text = text.replace(long, short);
    }
    text
}

/// The tokens after `impl` without its generics and its `where`.
fn header(tokens: &[TokenTree]) -> &[TokenTree] {
    let is = |token: &TokenTree, character| matches!(token, TokenTree::Punct(punct) if punct.as_char() == character);
    let mut start = 0;
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate() {
        let arrow = index > 0 && is(&tokens[index - 1], '-');
        match token {
            token if is(token, '<') => depth += 1,
            token if is(token, '>') && !arrow => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            start = if index > 0 { index + 1 } else { 0 };
            break;
        }
    }
    let end = |token: &TokenTree| {
        matches!(token, TokenTree::Group(group) if group.delimiter() == Delimiter::Brace)
            || matches!(token, TokenTree::Ident(ident) if ident == "where")
    };
    let count = tokens[start..]
        .iter()
        .take_while(|token| !end(token))
        .count();
    &tokens[start..start + count]
}

/// The name of the type that an `impl` is of.
fn subject(tokens: &[TokenTree]) -> String {
    let header = header(tokens);
    let is_for = |token: &TokenTree| matches!(token, TokenTree::Ident(ident) if ident == "for");
    let from = header.iter().rposition(is_for).map_or(0, |index| index + 1);
    let text = written(&header[from..]);
    let end = text.find('<').unwrap_or(text.len());
    text[..end].to_owned()
}

/// Finds what `tokens` hold, also within templates and macros.
fn find(tokens: TokenStream, place: &[String], found: &mut Vec<Unsafe>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let ident = |index: usize| match tokens.get(index) {
        Some(TokenTree::Ident(ident)) => Some(ident),
        _ => None,
    };
    let is = |index: usize, word: &str| ident(index).is_some_and(|ident: &Ident| ident == word);
    // What the next braces are the body of.
    let mut body: Option<String> = None;
    for (index, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Ident(word) if word == "fn" => {
                body = match (tokens.get(index + 1), ident(index + 2)) {
                    (Some(TokenTree::Ident(name)), _) => Some(name.to_string()),
                    (Some(TokenTree::Punct(_)), Some(name)) => Some(format!("#{name}")),
                    _ => body,
                };
            }
            TokenTree::Ident(word) if word == "macro_rules" => {
                body = ident(index + 2).map(|name| format!("{name}!"));
            }
            TokenTree::Ident(word) if word == "impl" && body.is_none() => {
                body = Some(subject(&tokens[index + 1..]));
            }
            TokenTree::Ident(word) if word == "unsafe" => {
                let line = word.span().start().line;
                let block = matches!(
                    tokens.get(index + 1),
                    Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace
                );
                let within = |last: String| {
                    let mut place = place.to_vec();
                    place.push(last);
                    place.join(", ")
                };
                if block {
                    let place = place.join(", ");
                    found.push(Unsafe { place, line });
                } else if is(index + 1, "impl") {
                    let place = within(format!("impl {}", written(header(&tokens[index + 2..]))));
                    found.push(Unsafe { place, line });
                } else if is(index + 1, "extern")
                    && matches!(tokens.get(index + 3), Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace)
                {
                    let place = within("extern \"C\"".into());
                    found.push(Unsafe { place, line });
                }
            }
            TokenTree::Punct(punct) if punct.as_char() == ';' => body = None,
            TokenTree::Group(group) => {
                let mut inside = place.to_vec();
                if group.delimiter() == Delimiter::Brace {
                    inside.extend(body.take());
                }
                find(group.stream(), &inside, found);
            }
            _ => {}
        }
    }
}

/// The text of the comment above line `line` (from 1), from `SAFETY:` on.
fn comment(lines: &[&str], line: usize) -> Option<String> {
    let text = |index: usize| lines[index].trim_start();
    let above = (0..line).rev().take(NEAR);
    let last = above
        .take_while(|index| !text(*index).is_empty() || *index == line - 1)
        .find(|index| text(*index).starts_with("//"))?;
    let first = (0..=last)
        .rev()
        .take_while(|index| text(*index).starts_with("//"))
        .find(|index| text(*index).starts_with("// SAFETY: "))?;
    let rest = (first..=last).map(|index| text(index).trim_start_matches('/').trim());
    let comment = rest.collect::<Vec<_>>().join(" ");
    comment.strip_prefix("SAFETY: ").map(str::to_owned)
}

/// The bases of one comment.
#[derive(Default)]
struct Bases {
    guarantees: BTreeSet<usize>,
    all: Vec<String>,
}

/// The basis that `text` starts with, the rest after it.
fn basis(text: &str) -> Option<(String, &str)> {
    for words in ["guarantee ", "annotation `", "trait `"] {
        if let Some(rest) = text.strip_prefix(words) {
            let end = rest.find(": ")?;
            return Some((text[..words.len() + end].to_owned(), &rest[end..]));
        }
    }
    for who in ["Rust", "C", "CPython", "PyO3"] {
        if let Some(rest) = text.strip_prefix(who).filter(|rest| rest.starts_with(": ")) {
            return Some((who.to_owned(), rest));
        }
    }
    let rest = text.strip_prefix("the caller's promise")?;
    rest.starts_with([':', '.', ';', ','])
        .then(|| ("caller".to_owned(), rest))
}

/// The bases of a comment: a list of `basis: why`, each after a full stop or a semicolon.
fn bases(comment: &str) -> Option<Bases> {
    let mut found = Bases::default();
    let starts = comment
        .match_indices([';', '.'])
        .map(|(index, _)| index + 2);
    for start in [0].into_iter().chain(starts) {
        let Some((basis, _)) = comment.get(start..).and_then(basis) else {
            if start == 0 {
                return None;
            }
            continue;
        };
        if let Some(numbers) = basis.strip_prefix("guarantee ") {
            for number in numbers.split(", ") {
                found.guarantees.insert(number.parse().ok()?);
            }
        } else if !found.all.contains(&basis) {
            found.all.push(basis);
        }
    }
    Some(found)
}

/// The section of SAFETY.md with this heading.
fn section<'a>(text: &'a str, heading: &str) -> &'a str {
    let (_, section) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    section.split("\n## ").next().unwrap()
}

/// The names that comments may use.
struct Known {
    guarantees: BTreeSet<usize>,
    /// The words by which an author asserts something.
    annotations: String,
    /// The traits that unsafe code trusts.
    traits: String,
}

impl Known {
    fn read() -> Self {
        let text = read("SAFETY.md");
        Known {
            guarantees: guarantees(),
            annotations: section(&text, "What an author asserts").to_owned(),
            traits: section(&text, "What unsafe code trusts").to_owned(),
        }
    }

    /// The mistake in these bases, if there is one.
    fn faults(&self, bases: &Bases) -> Vec<String> {
        let unknown = bases.guarantees.difference(&self.guarantees);
        let guarantees = unknown.map(|number| format!("SAFETY.md has no guarantee {number}"));
        let named = bases.all.iter().filter(|basis| {
            let (kind, name) = basis.split_once(' ').unwrap_or((basis, ""));
            let word = name.trim_matches('`');
            match kind {
                "annotation" => !self.annotations.contains(word),
                "trait" => !self.traits.contains(name),
                _ => false,
            }
        });
        let named = named.map(|basis| format!("SAFETY.md says nothing of {basis}"));
        guarantees.chain(named).collect()
    }
}

/// The numbers of the guarantees in SAFETY.md.
fn guarantees() -> BTreeSet<usize> {
    let text = read("SAFETY.md");
    let list = section(&text, "What the runtime guarantees");
    let numbers = list.lines().filter_map(|line| line.split_once(". "));
    numbers
        .filter_map(|(number, _)| number.parse().ok())
        .collect()
}

/// The table, and what is wrong with comments.
fn audit(known: &Known) -> (String, Vec<String>) {
    let (mut table, mut faults) = (String::new(), Vec::new());
    let sources = ["runtime/src", "macros/src"].map(|folder| files(folder, ".rs"));
    for file in sources.into_iter().flatten() {
        let source = read(&file);
        let lines: Vec<&str> = source.lines().collect();
        let mut found = Vec::new();
        find(source.parse().unwrap(), &[], &mut found);
        let mut rows: Vec<(String, String, usize)> = Vec::new();
        for Unsafe { place, line } in found {
            let mut fault = |text: &str| faults.push(format!("{file}:{line}: {place}: {text}"));
            let Some(comment) = comment(&lines, line) else {
                fault("no `// SAFETY: ` above");
                continue;
            };
            let Some(bases) = bases(&comment) else {
                fault(&format!("not in the form: {comment}"));
                continue;
            };
            for text in known.faults(&bases) {
                fault(&text);
            }
            let numbers = bases
                .guarantees
                .iter()
                .map(|number| format!("**{number}**"));
            let relies = numbers.chain(bases.all).collect::<Vec<_>>().join(", ");
            match rows
                .iter_mut()
                .find(|row| row.0 == place && row.1 == relies)
            {
                Some(row) => row.2 += 1,
                None => rows.push((place, relies, 1)),
            }
        }
        if rows.is_empty() {
            continue;
        }
        writeln!(
            table,
            "\n### {file}\n\n| where | | relies on |\n|---|---|---|"
        )
        .unwrap();
        for (place, relies, count) in rows {
            let count = if count > 1 {
                format!("×{count}")
            } else {
                String::new()
            };
            writeln!(table, "| `{place}` | {count} | {relies} |").unwrap();
        }
    }
    (table, faults)
}

/// The names of all tests: of Rust and Python functions, and of the programs that do not compile.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files("runtime/tests/ui", ".rs") {
        let case = file.strip_prefix("runtime/tests/").unwrap();
        names.insert(case.strip_suffix(".rs").unwrap().to_owned());
    }
    let mut add = |text: &str, word: &str| {
        for line in text.lines() {
            let Some(rest) = line.trim_start().strip_prefix(word) else {
                continue;
            };
            let name = rest.split('(').next().unwrap_or_default();
            names.insert(name.to_owned());
        }
    };
    for folder in ["runtime/tests", "runtime/src", "macros/src"] {
        files(folder, ".rs")
            .iter()
            .for_each(|file| add(&read(file), "fn "));
    }
    for folder in ["tests", "examples", "xml-safe/tests"] {
        files(folder, ".py")
            .iter()
            .for_each(|file| add(&read(file), "def "));
    }
    names
}

/// The tests of each rule, as the page lists them.
fn listed(page: &str) -> Vec<(usize, Vec<String>)> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| "));
    rows.filter_map(|row| {
        let (number, rest) = row.split_once(" | ")?;
        let names = rest.split('`').skip(1).step_by(2).map(str::to_owned);
        Some((number.parse().ok()?, names.collect()))
    })
    .collect()
}

#[test]
fn each_unsafe_block_says_what_it_relies_on() {
    let (table, faults) = audit(&Known::read());
    assert!(
        faults.is_empty(),
        "{} of the `// SAFETY:` comments are not as docs/unsafe.md says:\n{}",
        faults.len(),
        faults.join("\n")
    );
    let page = read(TABLE);
    let (head, present) = page.split_once(BEGIN).unwrap();
    if env::var_os("AUDIT").is_some_and(|value| value == "overwrite") {
        fs::write(root().join(TABLE), format!("{head}{BEGIN}{table}")).unwrap();
        return;
    }
    assert!(
        present == table,
        "{TABLE} is stale: run `make audit`, and read what changed"
    );
}

#[test]
fn comment_of_another_form_is_refused() {
    let known = Known::read();
    for good in [
        "guarantee 3: a reference is valid.",
        "guarantee 3, 4: a reference is valid. Rust: so it is.",
        "the caller's promise.",
        "annotation `calls`: the call is right; guarantee 1: it has an owner. trait `IntoC`: the pointer is valid.",
    ] {
        let bases = bases(good).unwrap_or_else(|| panic!("{good}"));
        assert_eq!(known.faults(&bases), [""; 0], "{good}");
    }
    for bad in [
        "as above.",
        "guarantee: it is valid.",
        "guarantee three: it is.",
        "annotation: it is.",
    ] {
        assert!(bases(bad).is_none(), "{bad}");
    }
    for unknown in [
        "guarantee 99: it is valid.",
        "Rust: it is. guarantee 98: it is valid.",
        "annotation `nonsense`: it is valid.",
        "trait `Nonsense`: it is valid.",
    ] {
        let bases = bases(unknown).unwrap_or_else(|| panic!("{unknown}"));
        assert_eq!(known.faults(&bases).len(), 1, "{unknown}");
    }
}

#[test]
fn unsafe_words_are_found_in_templates_and_macros() {
    let source = "
        impl<T: Fn() -> u8> Trait for Type<T> {
            fn method() { quote! { fn #name() { unsafe { call() } } } }
        }
        macro_rules! many { ($type:ty) => { unsafe impl Send for $type {} }; }
        unsafe extern \"C\" { fn c(); }
        unsafe fn caller(call: unsafe extern \"C\" fn()) { \"unsafe { }\"; }
    ";
    let mut found = Vec::new();
    find(source.parse().unwrap(), &[], &mut found);
    let found: Vec<_> = found.into_iter().map(|one| (one.place, one.line)).collect();
    let expected = [
        ("Type, method, #name", 3),
        ("many!, impl Send for $type", 5),
        ("extern \"C\"", 6),
    ];
    assert_eq!(
        found,
        expected.map(|(place, line)| (place.to_owned(), line))
    );
}

#[test]
fn each_guarantee_has_tests_that_exist() {
    let page = read(TABLE);
    let (head, _) = page.split_once(BEGIN).unwrap();
    let listed = listed(head);
    let tests = tests();
    for number in guarantees() {
        let of = listed.iter().filter(|(listed, _)| *listed == number);
        assert!(
            of.flat_map(|(_, names)| names).next().is_some(),
            "{TABLE} lists no test of guarantee {number}"
        );
    }
    for (number, names) in &listed {
        for name in names {
            assert!(
                tests.contains(name),
                "{TABLE} lists `{name}` for guarantee {number}, and there is no such test"
            );
        }
    }
}

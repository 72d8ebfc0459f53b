//! The reference in runtime/src/reference has a heading for each annotation word that the macros accept, and for no
//! other. SAFETY.md says of each word what it asserts, or that it asserts nothing. docs/architecture.md names all
//! source files.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The pages with the lists of words in macros/src: file, function or constant, and which of its lists.
const PAGES: &[(&str, &str, &str, usize)] = &[
    ("handle", "handle/parse.rs", "ALLOWED", 0),
    ("methods", "methods/parse/mod.rs", "block", 0),
    ("calls", "methods/parse/source.rs", "parse_calls", 0),
    ("field", "methods/parse/source.rs", "parse_field", 0),
    ("callbacks", "callbacks/mod.rs", "callbacks", 0),
    ("callback", "callbacks/parse.rs", "parse", 0),
    ("exception", "exception.rs", "exception", 0),
    ("int_flag", "enums.rs", "enums", 0),
    ("int_enum", "enums.rs", "enums", 0),
    ("record", "record.rs", "record", 0),
    ("function", "function.rs", "function", 0),
    ("module", "module.rs", "module", 0),
    ("attachment", "attr.rs", "of_derive", 0),
    ("into_python", "attr.rs", "of_derive", 0),
];

/// Words within the value of another word, which the section of that word explains in a table or in its text.
const NESTED: &[(&str, &str, &str, &str)] = &[
    ("handle", "release", "handle/parse.rs", "parse_release"),
    ("handle", "lock", "handle/parse.rs", "parse_lock"),
    ("handle", "errors", "handle/parse.rs", "parse_errors"),
    ("handle", "tree", "handle/parse.rs", "parse_tree"),
    ("handle", "tree", "handle/parse.rs", "parse_child_list"),
    ("record", "#[field]", "record.rs", "FIELD_WORDS"),
];

/// The attributes of methods that are no pages of their own.
const METHOD_ATTRIBUTES: (&str, &str, &str) = ("methods", "methods/parse/mod.rs", "accept");
const PAGES_OF_THEIR_OWN: [&str; 2] = ["calls", "field"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn page(name: &str) -> String {
    read(&format!("runtime/src/reference/{name}.md"))
}

fn tokens(file: &str) -> Vec<TokenTree> {
    let tokens: TokenStream = read(&format!("macros/src/{file}")).parse().unwrap();
    tokens.into_iter().collect()
}

fn literal(token: &TokenTree) -> Option<String> {
    let TokenTree::Literal(literal) = token else {
        return None;
    };
    let text = literal.to_string();
    Some(text.strip_prefix('"')?.strip_suffix('"')?.to_owned())
}

/// The tokens of the function or the constant `name`.
fn item(tokens: &[TokenTree], name: &str) -> Option<Vec<TokenTree>> {
    for (index, token) in tokens.iter().enumerate() {
        let keyword = |words: &[&str]| matches!(token, TokenTree::Ident(ident) if words.iter().any(|word| ident == word));
        let named = matches!(tokens.get(index + 1), Some(TokenTree::Ident(ident)) if ident == name);
        if keyword(&["fn", "const"]) && named {
            let rest = &tokens[index..];
            let is_end = |token: &TokenTree| match token {
                TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
                TokenTree::Punct(punct) => punct.as_char() == ';',
                _ => false,
            };
            let end = rest.iter().position(is_end)?;
            return Some(rest[..=end].to_vec());
        }
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            if let Some(found) = item(&inner, name) {
                return Some(found);
            }
        }
    }
    None
}

/// The lists of string literals in `tokens`: `["raw", "release"]`.
fn lists(tokens: &[TokenTree]) -> Vec<BTreeSet<String>> {
    let mut found = Vec::new();
    for token in tokens {
        let TokenTree::Group(group) = token else {
            continue;
        };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        let words: BTreeSet<String> = inner.iter().filter_map(literal).collect();
        let others =
            |token: &TokenTree| !matches!(token, TokenTree::Literal(_) | TokenTree::Punct(_));
        if group.delimiter() == Delimiter::Bracket && !words.is_empty() && !inner.iter().any(others)
        {
            found.push(words);
        } else {
            found.extend(lists(&inner));
        }
    }
    found
}

fn words(file: &str, name: &str, index: usize) -> BTreeSet<String> {
    let found =
        item(&tokens(file), name).unwrap_or_else(|| panic!("macros/src/{file} has no `{name}`"));
    let lists = lists(&found);
    let words = lists.get(index);
    words
        .unwrap_or_else(|| panic!("`{name}` of macros/src/{file} has no list of words"))
        .clone()
}

/// The literals before `=>` in `tokens`.
fn arms(tokens: &[TokenTree]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (index, token) in tokens.iter().enumerate() {
        let is = |offset: usize, character| matches!(tokens.get(index + offset), Some(TokenTree::Punct(punct)) if punct.as_char() == character);
        if let (Some(word), true, true) = (literal(token), is(1, '='), is(2, '>')) {
            found.insert(word);
        }
        if let TokenTree::Group(group) = token {
            let inner: Vec<TokenTree> = group.stream().into_iter().collect();
            found.extend(arms(&inner));
        }
    }
    found
}

fn method_attributes() -> BTreeSet<String> {
    let (_, file, name) = METHOD_ATTRIBUTES;
    let mut found = arms(&item(&tokens(file), name).unwrap());
    // `#[rust_only]` has its section as a word of the block.
    found.remove("rust_only");
    found.retain(|word| !PAGES_OF_THEIR_OWN.contains(&word.as_str()));
    found
}

/// The lines of a page outside of examples.
fn prose(page: &str) -> impl Iterator<Item = &str> {
    let mut is_example = false;
    page.lines().filter(move |line| {
        let is_fence = line.starts_with("```");
        is_example ^= is_fence;
        !is_example && !is_fence
    })
}

/// The sections of a page by the code in their headings: ``## `word` ``.
fn sections(page: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut current: Option<String> = None;
    for line in prose(page) {
        if let Some(heading) = line.strip_prefix("# ").or(line.strip_prefix("## ")) {
            let word = heading
                .strip_prefix('`')
                .and_then(|word| word.strip_suffix('`'));
            current = word.map(ToOwned::to_owned);
            if let Some(word) = &current {
                assert!(
                    !found.contains_key(word),
                    "`{word}` has two sections on a page"
                );
                found.insert(word.clone(), String::new());
            }
        } else if let Some(word) = &current {
            let section = found.get_mut(word).unwrap();
            section.push_str(line);
            section.push('\n');
        }
    }
    found
}

/// The anchors that rustdoc makes of a page's headings.
fn anchors(page: &str) -> BTreeSet<String> {
    let headings = prose(page).filter(|line| line.starts_with("# ") || line.starts_with("## "));
    let mut anchors = BTreeSet::new();
    for heading in headings {
        let text = heading.trim_start_matches('#').trim();
        let anchor: String = text
            .chars()
            .filter_map(|c| match c {
                ' ' => Some('-'),
                '-' | '_' => Some(c),
                c if c.is_alphanumeric() => Some(c.to_ascii_lowercase()),
                _ => None,
            })
            .collect();
        anchors.insert(anchor);
    }
    anchors
}

#[test]
fn each_word_has_a_section_and_each_section_a_word() {
    for (name, file, item, index) in PAGES {
        let words = words(file, item, *index);
        let sections = sections(&page(name));
        let headings: BTreeSet<String> = sections
            .keys()
            .filter(|word| !word.starts_with("#["))
            .cloned()
            .collect();
        assert_eq!(
            headings, words,
            "the sections of runtime/src/reference/{name}.md and the words of macros/src/{file}"
        );
    }
}

#[test]
fn each_nested_word_is_explained_in_the_section_of_its_word() {
    for (name, word, file, item) in NESTED {
        let section = &sections(&page(name))[*word];
        for nested in words(file, item, 0) {
            let is_there = section.contains(&format!("`{nested}"))
                || section.contains(&format!("{nested} = "));
            assert!(
                is_there,
                "`{word}` on the page {name} does not explain `{nested}`"
            );
        }
    }
}

#[test]
fn each_attribute_of_a_method_has_a_section() {
    let sections = sections(&page(METHOD_ATTRIBUTES.0));
    let headings: BTreeSet<String> = sections
        .keys()
        .filter_map(|heading| Some(heading.strip_prefix("#[")?.strip_suffix(']')?.to_owned()))
        .collect();
    assert_eq!(headings, method_attributes());
}

/// The rows of all tables of SAFETY.md: the code in the first cells.
fn rows(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.strip_prefix("| "))
        .filter_map(|line| line.split(" | ").next())
        .map(ToOwned::to_owned)
        .collect()
}

/// Returns `true` if `word` is one of the words of `text`.
fn mentions(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(start, _)| {
        let before = text[..start].chars().next_back();
        let after = text[start + word.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

/// The part of SAFETY.md about the words of a page: its table, and the words that assert nothing.
fn part<'a>(safety: &'a str, page: &str) -> &'a str {
    let start = match page {
        "handle" => "`#[handle(…)]` needs no `unsafe`",
        "callbacks" | "callback" => "`#[callbacks(unsafe)]` asserts",
        _ => "`unsafe` in `#[methods(unsafe)]` is",
    };
    let start = safety
        .find(start)
        .unwrap_or_else(|| panic!("SAFETY.md has no paragraph `{start}`"));
    let rest = &safety[start..];
    let table = rest.find("\n|").unwrap();
    let end = rest[table + 1..]
        .find("\n\n")
        .map_or(rest.len(), |end| table + 1 + end);
    &rest[..end]
}

#[test]
fn safety_says_of_each_word_what_it_asserts() {
    let safety = read("SAFETY.md");
    let nothing = safety
        .split("## Words that assert nothing")
        .nth(1)
        .expect("SAFETY.md lists the words that assert nothing");
    let nothing = nothing.split("\n## ").next().unwrap();
    let mut wrong = Vec::new();
    for (name, ..) in PAGES {
        let asserting = rows(part(&safety, name));
        let row = nothing
            .lines()
            .find(|line| line.starts_with(&format!("| `#[{name}]`")))
            .or_else(|| {
                nothing
                    .lines()
                    .find(|line| line.starts_with("| all others"))
            })
            .unwrap_or_default();
        for (word, section) in sections(&page(name)) {
            let word = word.trim_start_matches("#[").trim_end_matches(']');
            let asserts = section.contains("*Asserts:*") && !section.contains("*Asserts:* nothing");
            let has_row = asserting.iter().any(|cell| mentions(cell, word));
            let listed = mentions(row, word) || word == "crate";
            if asserts && (!has_row || listed) {
                wrong.push(format!(
                    "{name}: `{word}` asserts something on its page: SAFETY.md needs a row"
                ));
            }
            if !asserts && !listed {
                wrong.push(format!(
                    "{name}: `{word}` asserts nothing on its page: list it in SAFETY.md"
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn links_into_the_reference_find_their_heading() {
    let mut wrong = Vec::new();
    let pages = fs::read_dir(root().join("runtime/src/reference")).unwrap();
    let pages = pages.map(|entry| entry.unwrap().path());
    for path in pages.chain([root().join("runtime/src/lib.rs")]) {
        let text = fs::read_to_string(&path).unwrap();
        for link in text.split("reference::").skip(1) {
            let end = link.find([')', '\n', ' ']).unwrap_or(link.len());
            if let Some((target, anchor)) = link[..end].split_once('#')
                && !anchors(&page(target)).contains(anchor)
            {
                wrong.push(format!("{}: {target}#{anchor}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A list of words that no page documents would be forgotten here, too.
#[test]
fn all_lists_of_words_are_known_here() {
    let mut known: BTreeSet<(&str, &str)> = BTreeSet::new();
    known.extend(PAGES.iter().map(|(_, file, item, _)| (*file, *item)));
    known.extend(NESTED.iter().map(|(_, _, file, item)| (*file, *item)));
    let mut parsers = 0;
    let mut folders = vec![root().join("macros/src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                parsers += text.matches("in parse_args(").count();
                parsers += text.matches("in parse_repeatable_args(").count();
                parsers += text.matches("= CommonArgs::parse(").count();
            }
        }
    }
    // `CommonArgs::parse` itself calls `parse_args`.
    assert_eq!(
        parsers - 1,
        known.len(),
        "each call of `parse_args` or `CommonArgs::parse` belongs to a row of `PAGES` or `NESTED`"
    );
}

fn is_source(path: &str) -> bool {
    let extension = Path::new(path).extension();
    extension.is_some_and(|extension| ["rs", "py", "c"].iter().any(|known| extension == *known))
}

fn source_files(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let base = root().join(folder);
    let mut folders = vec![base.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().is_some_and(is_source) {
                let path = path.strip_prefix(&base).unwrap();
                found.insert(path.to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn each_source_file_is_on_the_map_of_modules_and_each_name_on_it_exists() {
    let text = read("docs/architecture.md");
    let mut wrong = Vec::new();
    for (heading, folder) in [
        ("## Modules of the runtime", "runtime/src"),
        ("## Modules of the macros", "macros/src"),
        ("## Modules of xml-safe", "xml-safe/src"),
        (
            "## Modules of pytest-leakproof",
            "pytest-leakproof/pytest_leakproof",
        ),
    ] {
        let section = text.split(heading).nth(1).expect(heading);
        let section = section.split("\n## ").next().unwrap();
        let cells = rows(section);
        let names: BTreeSet<&str> = cells
            .iter()
            .flat_map(|cell| cell.split('`'))
            .filter(|name| is_source(name) || name.ends_with('/'))
            .collect();
        let files = source_files(folder);
        for file in &files {
            let is_there = names.contains(file.as_str())
                || names
                    .iter()
                    .any(|name| name.ends_with('/') && file.starts_with(name));
            if !is_there && !file.starts_with("reference/") {
                wrong.push(format!("{folder}/{file} is not on the map"));
            }
        }
        for name in names {
            if !files
                .iter()
                .any(|file| file == name || name.ends_with('/') && file.starts_with(name))
            {
                wrong.push(format!("{folder} has no {name}"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/architecture.md: {}",
        wrong.join("\n")
    );
}

/// The names of all items that the sources of the runtime define.
fn defined() -> BTreeSet<String> {
    const KEYWORDS: [&str; 7] = [
        "trait",
        "struct",
        "enum",
        "fn",
        "mod",
        "type",
        "macro_rules",
    ];
    let mut names = BTreeSet::new();
    for file in source_files("runtime/src") {
        let text = read(&format!("runtime/src/{file}"));
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let words: Vec<&str> = text
            .split(|c| !is_part(c))
            .filter(|word| !word.is_empty())
            .collect();
        let pairs = words.windows(2).filter(|pair| KEYWORDS.contains(&pair[0]));
        names.extend(pairs.map(|pair| pair[1].to_owned()));
        names.extend(file.split(['/', '.']).map(ToOwned::to_owned));
    }
    names
}

#[test]
fn items_that_safety_names_exist() {
    let safety = read("SAFETY.md");
    let guarantees = safety
        .split("## What the runtime guarantees")
        .nth(1)
        .unwrap();
    let names = defined();
    let is_path = |code: &&str| {
        code.contains("::")
            && !code.contains('<')
            && !code.starts_with("mem::")
            && !code.starts_with("Span::")
            && !code.starts_with("Box::")
    };
    let trusted = guarantees
        .split("## What unsafe code trusts")
        .nth(1)
        .unwrap();
    let trusted = trusted.split("\n## ").next().unwrap();
    let first_cells = rows(trusted).join(" ");
    let codes = |text: &str| -> Vec<String> {
        text.split('`')
            .skip(1)
            .step_by(2)
            .map(ToOwned::to_owned)
            .collect()
    };
    let paths = codes(guarantees)
        .into_iter()
        .filter(|code| is_path(&code.as_str()));
    let mut unknown: BTreeSet<String> = BTreeSet::new();
    for code in paths.chain(codes(&first_cells)) {
        let parts = code.split(|c: char| !(c.is_alphanumeric() || c == '_'));
        let parts = parts.filter(|part| !part.is_empty());
        unknown.extend(
            parts
                .filter(|part| !names.contains(*part))
                .map(ToOwned::to_owned),
        );
    }
    assert!(unknown.is_empty(), "the runtime has no {unknown:?}");
}

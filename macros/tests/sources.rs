//! Rules that the sources keep: how doc comments begin, which spelling is used, and that the core does not import the
//! Python half.

mod files;

use std::fs;
use std::path::{Path, PathBuf};

use files::{files, root, sources};

/// Openings of doc comments that name nothing: the sentence's subject stands elsewhere, or nowhere.
const HEADLESS: &[&str] = &[
    "What", "Whatever", "Who", "Whoever", "Where", "Whether", "How", "The same", "That", "Those",
    "When", "If", "As", "It", "They", "And", "Also",
];

/// The share of headless openings that is too much, in percent.
const LIMIT: usize = 1;

/// Returns the first line of each doc comment, with its line number.
fn openings(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let marker = |line: &str| {
        ["///", "//!"]
            .into_iter()
            .find(|marker| line.starts_with(marker))
    };
    let mut before = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        let found = marker(line);
        let is_first = found.is_some() && found != before;
        before = found;
        let opening = line.get(3..)?.trim();
        (is_first && !opening.is_empty()).then_some((index + 1, opening))
    })
}

fn is_headless(opening: &str) -> bool {
    HEADLESS.iter().any(|words| {
        opening
            .strip_prefix(words)
            .is_some_and(|rest| !rest.starts_with(|next: char| next.is_alphanumeric()))
    })
}

#[test]
fn openings_are_found_and_judged() {
    let text = "/// Whether it is.\n/// What more.\nfn f() {}\n    /// Returns it.\nfn g() {}\n//! However, no.\n";
    let found: Vec<_> = openings(text).collect();
    assert_eq!(
        found,
        [
            (1, "Whether it is."),
            (4, "Returns it."),
            (6, "However, no.")
        ]
    );
    assert!(is_headless("Whether it is."));
    assert!(!is_headless("Returns it.") && !is_headless("However, no."));
}

/// Returns the folders with Rust sources.
fn folders() -> Vec<PathBuf> {
    let mut folders = vec![
        "runtime/src".into(),
        "macros/src".into(),
        "xml-safe/src".into(),
        "runtime/tests".into(),
        "macros/tests".into(),
        "tests/hygiene/src".into(),
        "tests/standin/src".into(),
    ];
    for example in fs::read_dir(root().join("examples")).unwrap() {
        let folder = example.unwrap().path().join("src");
        folders.extend(folder.is_dir().then_some(folder));
    }
    folders
}

/// The columns that a comment and a line of a page may have, unless it is a row of a table.
const COLUMNS: usize = 120;

/// Pages that a tool writes.
const GENERATED: [&str; 1] = ["docs/unsafe.md"];

/// Returns the numbers of the lines of a page that are too long. Leaves out code, rows of tables, and lines of one
/// word, such as a link, which cannot wrap.
fn long_lines(page: &str) -> Vec<usize> {
    let mut is_code = false;
    let mut long = Vec::new();
    for (index, line) in page.lines().enumerate() {
        let text = line.trim_start();
        let is_fence = text.starts_with("```");
        is_code ^= is_fence;
        let is_left_out = is_code || is_fence || text.starts_with('|');
        let words = text.trim_start_matches("- ").split_whitespace().count();
        if !is_left_out && words > 1 && line.chars().count() > COLUMNS {
            long.push(index + 1);
        }
    }
    long
}

#[test]
fn long_lines_are_found_outside_of_code_and_tables() {
    let word = "x".repeat(COLUMNS);
    let page = format!("- {word}\n| {word} |\n```\n{word} y\n```\n{word} y\n{word}\n  {word} y\n");
    assert_eq!(long_lines(&page), [6, 8]);
}

#[test]
fn comments_and_pages_wrap() {
    let mut long = Vec::new();
    for (path, text) in files(&root(), &["md"]) {
        if !GENERATED.iter().any(|generated| path.ends_with(generated)) {
            let lines = long_lines(&text).into_iter();
            long.extend(lines.map(|line| format!("{}:{line}", path.display())));
        }
    }
    for folder in folders() {
        for (path, text) in sources(&root().join(folder)) {
            let is_long = |line: &str| {
                let text = line.trim_start();
                let is_row = text.trim_start_matches(['/', '!', ' ']).starts_with('|');
                text.starts_with("//") && !is_row && line.chars().count() > COLUMNS
            };
            let lines = text.lines().enumerate().filter(|(_, line)| is_long(line));
            long.extend(lines.map(|(index, _)| format!("{}:{}", path.display(), index + 1)));
        }
    }
    assert!(
        long.is_empty(),
        "comments and pages have at most {COLUMNS} columns, and these lines have more:\n{}",
        long.join("\n")
    );
}

#[test]
fn doc_comments_begin_with_a_noun_or_a_verb() {
    let mut report = Vec::new();
    for folder in folders() {
        let (mut all, mut headless) = (0, Vec::new());
        for (path, text) in sources(&root().join(folder)) {
            for (line, opening) in openings(&text) {
                all += 1;
                if is_headless(opening) {
                    headless.push(format!("{}:{line}: {opening}", path.display()));
                }
            }
        }
        if headless.len() * 100 > all * LIMIT {
            report.push(format!(
                "{} of {all}:\n{}",
                headless.len(),
                headless.join("\n")
            ));
        }
    }
    assert!(
        report.is_empty(),
        "doc comments begin with a noun or a verb, and these do not: {}",
        report.join("\n")
    );
}

/// The core has one door to Python, `interpreter`; the Python half stands above it.
#[test]
fn the_core_does_not_import_the_python_half() {
    let folder = root().join("runtime/src");
    for (path, text) in sources(&folder) {
        let inside = path.strip_prefix(&folder).unwrap();
        if inside.starts_with("python") || inside == Path::new("lib.rs") {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            assert!(
                !code.contains("crate::python"),
                "{}:{}: the core reaches Python through `interpreter` only",
                inside.display(),
                index + 1
            );
        }
    }
}

/// An exception that PyO3 makes later has no memory for its message then, which ends the process.
#[test]
fn the_runtime_makes_its_exceptions_at_once() {
    let mut report = Vec::new();
    for folder in ["runtime/src", "macros/src"] {
        for (path, text) in sources(&root().join(folder)) {
            for (index, line) in text.lines().enumerate() {
                let code = line.split("//").next().unwrap();
                // Without a message nothing is made.
                let is_lazy = code.contains("new_err(") && !code.contains("new_err(())");
                if is_lazy || code.contains("PyErr::new") {
                    report.push(format!("{}:{}: {code}", path.display(), index + 1));
                }
            }
        }
    }
    assert!(
        report.is_empty(),
        "make exceptions by `interpreter::new_exception`:\n{}",
        report.join("\n")
    );
}

/// Beginnings of words that only British English spells so.
const BRITISH: &[&str] = &[
    "colour",
    "behaviour",
    "favour",
    "honour",
    "neighbour",
    "flavour",
    "licence",
    "defence",
    "cancelled",
    "cancelling",
    "labelled",
    "labelling",
    "modelling",
    "signalled",
    "signalling",
    "travelled",
    "travelling",
    "catalogue",
    "artefact",
    "judgement",
    "whilst",
    "analyse",
];

/// Verbs that American English spells with `-ize`.
const VERBS: &[&str] = &[
    "character",
    "custom",
    "emphas",
    "final",
    "general",
    "initial",
    "maxim",
    "minim",
    "normal",
    "optim",
    "organ",
    "priorit",
    "random",
    "real",
    "recogn",
    "serial",
    "special",
    "standard",
    "summar",
    "synchron",
    "token",
    "util",
    "visual",
];

/// Returns whether `word`, in lower case, is spelled in the British way.
fn is_british(word: &str) -> bool {
    let verb = |verb: &str| {
        word.split_once(verb).is_some_and(|(_, rest)| {
            ["ise", "isa", "isi"]
                .iter()
                .any(|ending| rest.starts_with(ending))
        })
    };
    BRITISH.iter().any(|stem| word.contains(stem)) || VERBS.iter().any(|stem| verb(stem))
}

#[test]
fn spelling_is_american() {
    for word in ["colours", "uninitialised", "serialisation", "signalled"] {
        assert!(is_british(word), "{word}");
    }
    for word in [
        "colors",
        "initialized",
        "realistic",
        "exercise",
        "optimistic",
        "raised",
    ] {
        assert!(!is_british(word), "{word}");
    }
    // The list itself, and words that valgrind prints.
    const ALLOWED: [&str; 2] = ["macros/tests/sources.rs", "xml-safe/tests/test_valgrind.py"];
    let mut report = Vec::new();
    for (path, text) in files(&root(), &["rs", "py", "md", "toml", "sh"]) {
        if ALLOWED.iter().any(|allowed| path.ends_with(allowed)) {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            let lower = line.to_ascii_lowercase();
            let mut words = lower.split(|c: char| !c.is_alphabetic());
            if let Some(word) = words.find(|word| is_british(word)) {
                report.push(format!("{}:{}: {word}", path.display(), index + 1));
            }
        }
    }
    assert!(
        report.is_empty(),
        "write American English:\n{}",
        report.join("\n")
    );
}

/// A crate that cargo vendors or packages has the files of its own folder only.
#[test]
fn crates_include_files_of_their_own_folder_only() {
    let mut outside = Vec::new();
    for folder in ["runtime/src", "macros/src"] {
        for (path, text) in sources(&root().join(folder)) {
            let lines = text.lines().filter(|line| line.contains("include"));
            let left =
                lines.filter(|line| line.contains("include_str!(\"..") || line.contains("\"/.."));
            outside.extend(left.map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
    assert!(outside.is_empty(), "{}", outside.join("\n"));
}

/// A forked child has none of the threads that could unlock a lock, or end an initialization, that it waits for.
#[test]
fn forks_find_all_locks_of_the_runtime() {
    // These run with the GIL, which the thread that forks from Python has.
    const WITH_GIL: [&str; 2] = ["python/package.rs", "interpreter/reentrancy.rs"];
    let mut left = Vec::new();
    let mut locks = 0;
    for (path, text) in sources(&root().join("runtime/src")) {
        let is_lock = |line: &&str| line.contains("static ") && line.contains("Mutex<");
        let in_file = text.lines().filter(is_lock).count();
        locks += in_file;
        if in_file != text.matches("Lock(|| Box::new(").count() {
            left.push(format!("{}: a lock that no fork takes", path.display()));
        }
        let may_wait = ["OnceLock", "LazyLock"]
            .iter()
            .any(|cell| text.contains(&format!("use std::sync::{cell}")));
        if may_wait && !WITH_GIL.iter().any(|allowed| path.ends_with(allowed)) {
            left.push(format!(
                "{}: an initialization that others wait for",
                path.display()
            ));
        }
    }
    assert!(locks > 10, "{locks}");
    assert!(left.is_empty(), "{}", left.join("\n"));
}

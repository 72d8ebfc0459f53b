//! Build helper for a wrapper's `build.rs`: finds the library, runs bindgen over its headers with the options that
//! annotations need, and says in one line which package is missing.
//!
//! ```no_run
//! // The body of `main` in build.rs, with
//! // `leakproof = { …, default-features = false, features = ["build"] }` in `[build-dependencies]`:
//! leakproof::build::Library::new("libxml-2.0")
//!     .atleast_version("2.9.14")
//!     .debian("libxml2-dev")
//!     .headers(&["libxml/parser.h", "libxml/xpath.h"])
//!     .allowlist_item("xml.*|XML_.*")
//!     .write("libxml2.rs");
//! ```
//!
//! Functions that a header defines as `static inline` are compiled, so that they can be called like others.
//!
//! Where an annotated method, handle, record, enumeration or member has no doc comment, it takes that of the C
//! function, type or constant in the headers, with doxygen's commands in plain words.
//!
//! The bindings are then included in a private module: `include!(concat!(env!("OUT_DIR"), "/libxml2.rs"));`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::exit;
use std::{env, fs, io};

/// A C library, as it is installed on this machine.
#[derive(Debug)]
pub struct Library {
    package: Option<String>,
    version: Option<String>,
    debian: Option<String>,
    headers: Vec<String>,
    allowed: Vec<String>,
    opaque: Vec<String>,
    defined: Vec<String>,
    linked: Vec<String>,
    includes: Vec<PathBuf>,
    trimmed: Trimmed,
    all_comments: bool,
}

impl Library {
    /// Returns the library that `pkg-config` knows by this name.
    pub fn new(package: &str) -> Self {
        Library {
            package: Some(package.into()),
            ..Library::system()
        }
    }

    /// Returns the C library, and whatever else the compiler finds without `pkg-config`. A library that `pkg-config`
    /// does not know is named by [`Library::link`].
    pub fn system() -> Self {
        Library {
            package: None,
            version: None,
            debian: None,
            headers: Vec::new(),
            allowed: Vec::new(),
            opaque: Vec::new(),
            defined: Vec::new(),
            linked: Vec::new(),
            includes: Vec::new(),
            trimmed: Trimmed::default(),
            all_comments: false,
        }
    }

    /// Requires this version or a newer one.
    pub fn atleast_version(mut self, version: &str) -> Self {
        self.version = Some(version.into());
        self
    }

    /// Names the Debian package for the message about a missing library.
    pub fn debian(mut self, package: &str) -> Self {
        self.debian = Some(package.into());
        self
    }

    /// Defines a macro before the headers are read, as `#define name value` does.
    pub fn define(mut self, name: &str, value: &str) -> Self {
        self.defined.push(format!("-D{name}={value}"));
        self
    }

    /// Links a library, as the compiler's option `-lname` does.
    pub fn link(mut self, name: &str) -> Self {
        self.linked.push(name.into());
        self
    }

    /// Adds a folder in which headers are looked for, as the compiler's option `-I` does.
    pub fn include(mut self, folder: impl Into<PathBuf>) -> Self {
        self.includes.push(folder.into());
        self
    }

    /// Removes `prefix` from the names of functions, types and constants. A name that would be empty, or begin with a
    /// digit, stays as it is.
    pub fn trim_prefix(mut self, prefix: &str) -> Self {
        self.trimmed.prefixes.push(prefix.into());
        self
    }

    /// Removes `suffix` from the names of functions, types and constants, such as `_8` of `pcre2_compile_8`.
    pub fn trim_suffix(mut self, suffix: &str) -> Self {
        self.trimmed.suffixes.push(suffix.into());
        self
    }

    /// Adds headers to read, written as in `#include`.
    pub fn headers(mut self, headers: &[&str]) -> Self {
        self.headers
            .extend(headers.iter().map(|header| (*header).into()));
        self
    }

    /// Adds a regular expression of the names to bind. By default, all names of the headers are bound.
    pub fn allowlist_item(mut self, names: &str) -> Self {
        self.allowed.push(names.into());
        self
    }

    /// Adds a regular expression of types that are bound without their fields.
    pub fn opaque_type(mut self, types: &str) -> Self {
        self.opaque.push(types.into());
        self
    }

    /// Uses all comments in the headers as documentation, also those that don't begin with `/**`. For headers with the
    /// comments before what they describe, as SQLite's; zlib's has them behind.
    pub fn parse_all_comments(mut self) -> Self {
        self.all_comments = true;
        self
    }

    /// Writes the bindings to `file` in `OUT_DIR`, and makes cargo link the library. Returns the version that was
    /// found.
    ///
    /// If something is missing, prints what is missing, and ends the build.
    pub fn write(self, file: &str) -> Version {
        println!("cargo::rerun-if-changed=build.rs");
        let (mut includes, version) = self.probe();
        includes.splice(..0, self.includes.iter().cloned());
        for name in &self.linked {
            println!("cargo::rustc-link-lib={name}");
        }
        let out = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .unwrap_or_default();
        let inline = out.join(file).with_extension("inline.c");
        // An old one would be taken for a new one.
        let _ = fs::remove_file(&inline);
        let bindings = self
            .generate(&includes, &inline)
            .unwrap_or_else(|message| fail(&message));
        // There is such a file where there are such functions.
        if inline.is_file() {
            let mut build = cc::Build::new();
            build.file(&inline).includes(&includes).warnings(false);
            for defined in &self.defined {
                build.flag(defined);
            }
            build.compile(&format!("{}_inline", file.replace(['.', '-'], "_")));
        }
        let bindings = without_macros_of_enums(&bindings.to_string());
        let written = fs::write(out.join(file), &bindings)
            .and_then(|()| write_comments(&bindings, &out.join("leakproof-comments")));
        if let Err(error) = written {
            fail(&format!("cannot write {file}: {error}"));
        }
        version
    }

    /// Runs bindgen over the headers.
    ///
    /// # Errors
    ///
    /// A message for the author of the wrapper, if libclang is missing or refuses the headers.
    fn generate(&self, includes: &[PathBuf], inline: &Path) -> Result<bindgen::Bindings, String> {
        // bindgen panics if it does not find libclang.
        if std::panic::catch_unwind(bindgen::clang_version).is_err() {
            return Err("bindgen needs libclang (Debian: libclang-dev)".into());
        }
        // A file, because clang evaluates macros with expressions beside the headers.
        let folder = inline.parent().unwrap_or(Path::new("."));
        let headers = inline.with_extension("headers.h");
        fs::write(&headers, self.include_lines())
            .map_err(|error| format!("cannot write {}: {error}", headers.display()))?;
        let mut builder = bindgen::builder()
            .header(headers.display().to_string())
            .clang_macro_fallback()
            .clang_macro_fallback_build_dir(folder)
            .clang_args(includes.iter().map(|path| format!("-I{}", path.display())))
            .clang_arg("-fretain-comments-from-system-headers")
            .clang_args(&self.defined)
            .clang_args(self.all_comments.then_some("-fparse-all-comments"))
            .default_enum_style(bindgen::EnumVariation::Consts)
            .prepend_enum_name(false)
            .layout_tests(false)
            .derive_default(true)
            .wrap_unsafe_ops(true)
            .generate_comments(true)
            .wrap_static_fns(true)
            .wrap_static_fns_path(inline)
            .parse_callbacks(Box::new(
                bindgen::CargoCallbacks::new().rerun_on_header_files(false),
            ))
            .parse_callbacks(Box::new(self.trimmed.clone()));
        for names in &self.allowed {
            builder = builder.allowlist_item(names);
        }
        for types in &self.opaque {
            builder = builder.opaque_type(types);
        }
        builder
            .generate()
            .map_err(|error| self.refused(&error.to_string()))
    }

    /// The message about headers that libclang refuses.
    fn refused(&self, error: &str) -> String {
        let headers = self.headers.join("`, `");
        format!(
            "the C compiler refuses the headers `{headers}`:\n{}\nIf a header does not define a name that it uses, name \
             the header that defines it before this one in `headers`; if the program has to define it, add \
             `define(\"NAME\", \"value\")`",
            error.trim_end()
        )
    }

    fn include_lines(&self) -> String {
        self.headers
            .iter()
            .map(|header| format!("#include <{header}>\n"))
            .collect()
    }

    fn probe(&self) -> (Vec<PathBuf>, Version) {
        let Some(package) = &self.package else {
            return (Vec::new(), Version::default());
        };
        let mut config = pkg_config::Config::new();
        if let Some(version) = &self.version {
            config.atleast_version(version);
        }
        match config.probe(package) {
            Ok(library) => (library.include_paths, Version::parse(&library.version)),
            Err(error) => {
                let wanted = self
                    .version
                    .as_ref()
                    .map(|version| format!(" {version} or newer"))
                    .unwrap_or_default();
                let debian = self
                    .debian
                    .as_ref()
                    .map(|name| format!(" (Debian: {name}, pkg-config)"));
                fail(&format!(
                    "{package}{wanted} is needed{}\n{error}",
                    debian.unwrap_or_default()
                ))
            }
        }
    }
}

/// Prefixes and suffixes that names lose.
#[derive(Debug, Clone, Default)]
struct Trimmed {
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

impl Trimmed {
    fn trim<'n>(&self, name: &'n str) -> &'n str {
        let prefixes = self.prefixes.iter();
        let prefix = prefixes
            .filter_map(|prefix| name.strip_prefix(&**prefix))
            .min_by_key(|rest| rest.len());
        let rest = prefix.unwrap_or(name);
        let suffixes = self.suffixes.iter();
        let suffix = suffixes
            .filter_map(|suffix| rest.strip_suffix(&**suffix))
            .min_by_key(|rest| rest.len());
        let rest = suffix.unwrap_or(rest);
        match rest.starts_with(|first: char| first.is_ascii_digit()) || rest.is_empty() {
            true => name,
            false => rest,
        }
    }
}

impl bindgen::callbacks::ParseCallbacks for Trimmed {
    fn item_name(&self, item: bindgen::callbacks::ItemInfo<'_>) -> Option<String> {
        let trimmed = self.trim(item.name);
        (trimmed != item.name).then(|| trimmed.to_owned())
    }
}

/// Returns the bindings without the constants of macros that an `enum` has, too: `#define READ READ`.
fn without_macros_of_enums(bindings: &str) -> String {
    let name = |line: &str| {
        let (name, ty) = line.strip_prefix("pub const ")?.split_once(": ")?;
        let is_number = ["u32 =", "i32 =", "u64 =", "i64 ="]
            .iter()
            .any(|number| ty.starts_with(number));
        Some((name.to_owned(), is_number))
    };
    let members: BTreeSet<String> = bindings
        .lines()
        .filter_map(name)
        .filter_map(|(name, is_number)| (!is_number).then_some(name))
        .collect();
    let lines = bindings.lines();
    let kept = lines.filter(|line| {
        name(line).is_none_or(|(name, is_number)| !is_number || !members.contains(&name))
    });
    kept.flat_map(|line| [line, "\n"]).collect()
}

/// Writes the comment of each function, type and constant to a file of its name. Annotations without a doc comment of
/// their own take it from there.
fn write_comments(bindings: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, comment) in comments(bindings) {
        fs::write(folder.join(name), comment)?;
    }
    Ok(())
}

fn comments(bindings: &str) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    let mut note = |name: &syn::Ident, attributes: &[syn::Attribute]| {
        let comment = comment(attributes);
        if !comment.is_empty() {
            comments.insert(name.to_string(), comment);
        }
    };
    let is_constant = |item: &syn::Item| matches!(item, syn::Item::Const(_));
    // What bindgen wrote is Rust; if not, whoever compiles it says so.
    let mut items = syn::parse_file(bindings).map_or_else(|_| Vec::new(), |file| file.items);
    // A type keeps its comment beside a constant of its name.
    items.sort_by_key(|item| !is_constant(item));
    for item in items {
        match item {
            syn::Item::ForeignMod(block) => {
                for item in block.items {
                    if let syn::ForeignItem::Fn(function) = item {
                        note(&function.sig.ident, &function.attrs);
                    }
                }
            }
            syn::Item::Struct(item) => note(&item.ident, &item.attrs),
            syn::Item::Type(item) => note(&item.ident, &item.attrs),
            syn::Item::Const(item) => note(&item.ident, &item.attrs),
            _ => {}
        }
    }
    comments
}

/// Returns the comment, without the margin that its lines have in common.
fn comment(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let syn::Expr::Lit(literal) = &meta.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            lines.extend(text.value().lines().map(without_doxygen));
        }
    }
    let indent = |line: &String| line.len() - line.trim_start().len();
    let written = || lines.iter().filter(|line| !line.is_empty());
    let margin = written().map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| line.get(margin..).unwrap_or(""))
        .collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Returns the line with the commands of doxygen in plain words, and with spaces for tabs.
fn without_doxygen(line: &str) -> String {
    let line = line.replace('\t', "    ");
    let text = line.trim_start();
    let margin = &line[..line.len() - text.len()];
    // `/**< …` describes what stands before it.
    let text = text.strip_prefix("< ").unwrap_or(text);
    let is_inline =
        |word: &&str| matches!(command(word), Some("a" | "b" | "c" | "e" | "p" | "ref"));
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let name = command(first).map(|name| name.split('[').next().unwrap_or(name));
    let (subject, rest) = match (name, rest.trim_start()) {
        (Some("brief" | "short" | "details"), rest) => (String::new(), rest),
        (Some("param" | "tparam"), rest) => {
            let (parameter, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            (format!("{parameter}: "), rest.trim_start())
        }
        (Some("return" | "returns" | "result"), rest) => ("Returns: ".into(), rest),
        (Some("retval"), rest) => ("Returns ".into(), rest),
        (Some("note"), rest) => ("Note: ".into(), rest),
        (Some("warning" | "attention"), rest) => ("Warning: ".into(), rest),
        (Some("see" | "sa"), rest) => ("See: ".into(), rest),
        (Some("since"), rest) => ("Since: ".into(), rest),
        (Some("deprecated"), rest) => ("Deprecated: ".into(), rest),
        _ => (String::new(), text),
    };
    let words: Vec<&str> = rest.split(' ').filter(|word| !is_inline(word)).collect();
    format!("{margin}{subject}{}", words.join(" "))
        .trim_end()
        .to_owned()
}

/// Returns the name of a doxygen command: `param` for `@param` and `\\param`.
fn command(word: &str) -> Option<&str> {
    word.strip_prefix(['@', '\\'])
}

/// The first two numbers of a library's version.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32);

impl Version {
    fn parse(text: &str) -> Self {
        let mut numbers = text.split('.').map(|number| number.parse().unwrap_or(0));
        Version(numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
    }

    /// Defines `cfg(name)` for the crate: true from `version` on.
    pub fn cfg_since(self, name: &str, version: Version) {
        println!("cargo::rustc-check-cfg=cfg({name})");
        if self >= version {
            println!("cargo::rustc-cfg={name}");
        }
    }
}

/// Prints what is missing and ends the build. A panic would bury the message in a backtrace.
fn fail(message: &str) -> ! {
    for line in message.lines() {
        println!("cargo::error={line}");
    }
    exit(1)
}

#[cfg(test)]
mod tests {
    use super::{Library, comments};

    #[test]
    fn commands_of_doxygen_become_plain_words() {
        for (line, plain) in [
            (" @brief Opens it.", " Opens it."),
            (
                " @param[in] path  The path of @p this",
                " path: The path of this",
            ),
            ("\\param n", "n:"),
            ("@returns 0 or an error", "Returns: 0 or an error"),
            ("\tindented  text \\c NULL", "    indented  text NULL"),
            ("write to me@example.org", "write to me@example.org"),
            ("@unknown stays", "@unknown stays"),
        ] {
            assert_eq!(super::without_doxygen(line), plain);
        }
    }

    #[test]
    fn comments_are_those_of_the_items() {
        let bindings = r#"
            unsafe extern "C" {
                #[doc = " Opens it.\n\n   @path: where\n"]
                pub fn open(path: i32) -> i32;
                pub fn silent();
            }
            #[doc = "<div>\n A thing.\n"]
            pub struct thing { _unused: [u8; 0] }
            #[doc = " "]
            pub type other = thing;
            #[doc = "< Reads only."]
            pub const READ: mode = 1;
            #[doc = " Another thing."]
            pub const thing: i32 = 1;
        "#;
        let found = comments(bindings);
        assert_eq!(found["open"], "Opens it.\n\n  @path: where");
        assert_eq!(found["thing"], "<div>\n A thing.");
        assert_eq!(found["READ"], "Reads only.");
        assert_eq!(found.len(), 3);
        assert!(comments("no Rust at all").is_empty());
    }

    /// The bindings of a library of one header.
    fn bindings_of(name: &str, header: &str, library: Library) -> Result<String, String> {
        let folder = std::env::temp_dir().join(format!("leakproof-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("it.h"), header).unwrap();
        let library = library.headers(&["it.h"]);
        let bindings = library.generate(std::slice::from_ref(&folder), &folder.join("inline.c"));
        std::fs::remove_dir_all(&folder).unwrap();
        bindings.map(|bindings| bindings.to_string())
    }

    /// A header that asks the program for a macro, as `fuse.h` does.
    const ASKING: &str =
        "#ifndef API\n#error define API before this header\n#endif\nint opened(int mode);\n";

    #[test]
    fn header_without_its_macro_is_refused_with_the_compilers_reason() {
        let message = bindings_of("refused", ASKING, Library::system()).unwrap_err();
        assert!(
            message.contains("define API before this header"),
            "{message}"
        );
        assert!(message.contains("`it.h`"), "{message}");
        assert!(
            message.contains("`define(\"NAME\", \"value\")`"),
            "{message}"
        );
        assert!(!message.contains("libclang"), "{message}");
    }

    #[test]
    fn defined_macro_is_seen_by_the_header() {
        let library = Library::system().define("API", "2");
        let bindings = bindings_of("defined", ASKING, library).unwrap();
        assert!(bindings.contains("fn opened"), "{bindings}");
    }

    #[test]
    fn macro_with_an_expression_is_a_constant() {
        let header = "#define ONE 1\n#define BOTH (ONE | (unsigned) 4)\n#define LAST (-(long) ONE)\n#define ALL (~(unsigned long) 0)\n";
        let bindings = bindings_of("expressions", header, Library::system()).unwrap();
        assert!(bindings.contains("pub const BOTH: u32 = 5;"), "{bindings}");
        assert!(bindings.contains("pub const LAST: i32 = -1;"), "{bindings}");
        assert!(bindings.contains("pub const ALL: i32 = -1;"), "{bindings}");
    }

    #[test]
    fn members_of_an_enum_have_the_comments_before_and_behind_them() {
        let header = "enum mode {\n  /** Reads only. */\n  READ = 2,\n  WRITE = 3, /**< Writes, too. */\n  NONE };\n";
        let found = comments(&bindings_of("described", header, Library::system()).unwrap());
        assert_eq!(found["READ"], "Reads only.");
        assert_eq!(found["WRITE"], "Writes, too.");
        assert!(!found.contains_key("NONE"));
    }

    #[test]
    fn macro_of_an_enum_s_name_is_the_enum_s_member() {
        let header = "enum mode { READ = 2 };\n#define READ READ\n#define OTHER 1\n";
        let bindings = bindings_of("members", header, Library::system()).unwrap();
        let bindings = super::without_macros_of_enums(&bindings);
        assert!(bindings.contains("pub const READ: mode = 2;"), "{bindings}");
        assert_eq!(bindings.matches("pub const READ:").count(), 1, "{bindings}");
        assert!(bindings.contains("pub const OTHER: u32 = 1;"), "{bindings}");
    }

    #[test]
    fn names_lose_what_is_trimmed_and_link_as_before() {
        let header = "typedef struct re_code_8 re_code_8;\nre_code_8 *re_compile_8(int);\n#define RE_FLAG 4\n#define RE_8 8\nint other(void);\n";
        let library = Library::system()
            .trim_prefix("re_")
            .trim_prefix("RE_")
            .trim_suffix("_8");
        let bindings = bindings_of("trimmed", header, library).unwrap();
        assert!(
            bindings.contains("pub fn compile(arg1: ::std::os::raw::c_int) -> *mut code"),
            "{bindings}"
        );
        assert!(bindings.contains("re_compile_8\"]"), "{bindings}");
        assert!(bindings.contains("pub const FLAG: u32 = 4;"), "{bindings}");
        assert!(bindings.contains("pub fn other()"), "{bindings}");
    }

    #[test]
    fn names_that_nothing_would_be_left_of_are_whole() {
        let trimmed = super::Trimmed {
            prefixes: vec!["re_".into(), "re_long_".into()],
            suffixes: vec!["_8".into()],
        };
        for (name, left) in [
            ("re_match_8", "match"),
            ("re_long_name", "name"),
            ("re_8", "re_8"),
            ("re_", "re_"),
            ("free", "free"),
        ] {
            assert_eq!(trimmed.trim(name), left);
        }
    }
}

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

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::exit;
use std::{env, fs};

use bindgen::BindgenError;

use self::comments::write_comments;
pub use self::installed::Version;
use self::installed::{Installed, Wanted, search_line};
use self::names::{Trimmed, linked_to_inline, suffix_of};

mod comments;
mod installed;
mod names;

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
    /// Libraries, as rustc's option `-l` names them.
    linked: Vec<String>,
    searched: Vec<PathBuf>,
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
            searched: Vec::new(),
            includes: Vec::new(),
            trimmed: Trimmed::default(),
            all_comments: false,
        }
    }

    /// Requires this version or a newer one. `pkg-config` says which one is installed, so [`Library::system`] has none:
    /// [`write`](Library::write) then ends the build.
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

    /// Links an archive, `libname.a`, into the module: users of the module need no library. The archive has to be made
    /// of position-independent code (`-fPIC`).
    pub fn link_static(mut self, name: &str) -> Self {
        self.linked.push(format!("static={name}"));
        self
    }

    /// Adds a folder in which libraries are looked for, as the compiler's option `-L` does.
    pub fn link_search(mut self, folder: impl Into<PathBuf>) -> Self {
        self.searched.push(folder.into());
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
        let installed = self.find().unwrap_or_else(|message| fail(&message));
        let version = installed.version;
        let includes: Vec<PathBuf> = self
            .includes
            .iter()
            .chain(&installed.includes)
            .cloned()
            .collect();
        let out = env::var_os("OUT_DIR")
            .map(PathBuf::from)
            .unwrap_or_default();
        let inline = out.join(file).with_extension("inline.c");
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
            let name = format!("{}_inline", file.replace(['.', '-'], "_"));
            if let Err(error) = build.try_compile(&name) {
                fail(&not_compiled(&error.to_string()));
            }
        }
        // These come behind the functions that call what they link: some linkers look for symbols in this order.
        for line in self.link_lines() {
            println!("{line}");
        }
        installed.link();
        let bindings = without_macros_of_enums(&bindings);
        let written = fs::write(out.join(file), &bindings)
            .and_then(|()| write_comments(&bindings, &out.join("leakproof-comments")));
        if let Err(error) = written {
            fail(&format!("cannot write {file}: {error}"));
        }
        version
    }

    /// Returns the bindings of the headers, and writes the C functions for those that are `static inline` to `inline`.
    ///
    /// # Errors
    ///
    /// A message for the author of the wrapper, if libclang is missing or refuses the headers.
    fn generate(&self, includes: &[PathBuf], inline: &Path) -> Result<String, String> {
        // An old one would be taken for a new one.
        let _ = fs::remove_file(inline);
        let whole = self.run_bindgen(includes, inline, Trimmed::default())?;
        if self.trimmed.is_empty() {
            return Ok(whole);
        }
        // bindgen makes no C function for one that has another name in Rust: those of the whole names serve.
        let unused = inline.with_extension("unused.c");
        let trimmed = self.run_bindgen(includes, &unused, self.trimmed.clone())?;
        Ok(linked_to_inline(&trimmed, &whole, &suffix_of(inline)))
    }

    fn run_bindgen(
        &self,
        includes: &[PathBuf],
        inline: &Path,
        trimmed: Trimmed,
    ) -> Result<String, String> {
        // bindgen panics if it does not find libclang.
        if let Err(panic) = std::panic::catch_unwind(bindgen::clang_version) {
            let reason = panic.downcast_ref::<String>().map_or("", String::as_str);
            return Err(format!(
                "bindgen needs libclang (Debian: libclang-dev)\n{reason}"
            ));
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
            .wrap_static_fns_suffix(suffix_of(inline))
            .parse_callbacks(Box::new(
                bindgen::CargoCallbacks::new().rerun_on_header_files(false),
            ))
            .parse_callbacks(Box::new(trimmed));
        for names in &self.allowed {
            builder = builder.allowlist_item(names);
        }
        for types in &self.opaque {
            builder = builder.opaque_type(types);
        }
        let bindings = builder.generate().map_err(|error| self.refused(&error))?;
        Ok(bindings.to_string())
    }

    /// The message about headers that libclang refuses: clang's lines, then the way out.
    fn refused(&self, error: &BindgenError) -> String {
        let error = match error {
            BindgenError::ClangDiagnostic(lines) => lines.trim().to_owned(),
            other => other.to_string(),
        };
        let advice = match missing_header(&error) {
            Some(header) => self.advice_for_missing(header),
            None => "If a header does not define a name that it uses, name the header that defines it before this one \
                     in `headers`; if the program has to define it, add `define(\"NAME\", \"value\")`"
                .into(),
        };
        format!(
            "{error}\nThe C compiler refuses the headers `{}`. {advice}",
            self.headers.join("`, `")
        )
    }

    fn advice_for_missing(&self, header: &str) -> String {
        // The package that `pkg-config` found is no advice.
        let debian = self.debian.as_ref().filter(|_| self.package.is_none());
        let debian = debian.map(|name| format!(" (Debian: {name})"));
        format!(
            "No folder has `{header}`: name its folder by `include(\"folder\")`, or install the package that has it{}",
            debian.unwrap_or_default()
        )
    }

    fn include_lines(&self) -> String {
        self.headers
            .iter()
            .map(|header| format!("#include <{header}>\n"))
            .collect()
    }

    fn find(&self) -> Result<Installed, String> {
        match &self.package {
            None => match &self.version {
                None => Ok(Installed::default()),
                Some(version) => Err(format!(
                    "`atleast_version(\"{version}\")` asks `pkg-config`, and `Library::system()` has no package there: write \
                     `Library::new(\"name\")`, or compare the version that the headers define, such as `const _: () = \
                     assert!(ffi::VERSION >= 120);`"
                )),
            },
            Some(package) => Wanted {
                package,
                version: self.version.as_deref(),
                debian: self.debian.as_deref(),
            }
            .find(),
        }
    }

    /// The lines for cargo that link what `pkg-config` does not know.
    fn link_lines(&self) -> Vec<String> {
        let searched = self.searched.iter().map(|folder| search_line(folder));
        let linked = self.linked.iter();
        searched
            .chain(linked.map(|name| format!("cargo::rustc-link-lib={name}")))
            .collect()
    }
}

/// Returns the header of clang's message `fatal error: 'name.h' file not found`.
fn missing_header(message: &str) -> Option<&str> {
    let (before, _) = message.split_once("' file not found")?;
    before.rsplit_once('\'').map(|(_, header)| header)
}

/// The message about `static inline` functions that were not compiled. The compiler's own lines stand above.
fn not_compiled(error: &str) -> String {
    let compiler = match error.starts_with("ToolNotFound") {
        true => " They need a C compiler (Debian: gcc).",
        false => "",
    };
    format!("{error}\nThis was for the functions that headers define as `static inline`.{compiler}")
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

/// Prints what is missing and ends the build. A panic would bury the message in a backtrace.
fn fail(message: &str) -> ! {
    for line in message.lines().filter(|line| !line.trim().is_empty()) {
        println!("cargo::error={line}");
    }
    exit(1)
}

#[cfg(test)]
mod tests {
    use super::comments::comments;
    use super::{Library, missing_header};

    /// The bindings of a library of one header.
    fn bindings_of(name: &str, header: &str, library: Library) -> Result<String, String> {
        let folder = std::env::temp_dir().join(format!("leakproof-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("it.h"), header).unwrap();
        let library = library.headers(&["it.h"]);
        let bindings = library.generate(std::slice::from_ref(&folder), &folder.join("inline.c"));
        std::fs::remove_dir_all(&folder).unwrap();
        bindings
    }

    /// A header that asks the program for a macro, as `fuse.h` does.
    const ASKING: &str =
        "#ifndef API\n#error define API before this header\n#endif\nint opened(int mode);\n";

    #[test]
    fn header_without_its_macro_is_refused_with_the_compilers_reason() {
        let message = bindings_of("refused", ASKING, Library::system()).unwrap_err();
        let first = message.lines().next().unwrap();
        assert!(
            first.ends_with("it.h:2:2: error: define API before this header"),
            "{message}"
        );
        assert!(message.contains("`it.h`"), "{message}");
        assert!(
            message.contains("`define(\"NAME\", \"value\")`"),
            "{message}"
        );
        assert!(!message.contains("libclang"), "{message}");
        assert!(!message.contains("install"), "{message}");
    }

    #[test]
    fn missing_header_is_the_only_reason_to_name_its_package() {
        let named = |library: Library| {
            let library = library.debian("libit-dev");
            let missing = bindings_of("missing", "#include <no/such.h>\n", library).unwrap_err();
            let first = missing.lines().next().unwrap().to_owned();
            assert!(
                first.ends_with("fatal error: 'no/such.h' file not found"),
                "{missing}"
            );
            assert!(missing.contains("No folder has `no/such.h`"), "{missing}");
            missing.contains("libit-dev")
        };
        assert!(named(Library::system()));
        // `pkg-config` has found the package before the headers are read.
        assert!(!named(Library::new("it")));
        let message = bindings_of("named", ASKING, Library::system().debian("libit-dev"));
        assert!(!message.unwrap_err().contains("libit-dev"));
        assert_eq!(missing_header("'other' is not declared"), None);
    }

    #[test]
    fn version_of_a_library_without_package_is_refused() {
        assert!(Library::system().find().is_ok());
        let message = Library::system().atleast_version("1.2").find();
        let message = message.map(drop).unwrap_err();
        assert!(
            message.starts_with("`atleast_version(\"1.2\")` asks `pkg-config`"),
            "{message}"
        );
    }

    #[test]
    fn libraries_and_their_folders_are_lines_for_cargo() {
        let library = Library::system()
            .link("one")
            .link_static("two")
            .link_search("/opt/lib");
        let lines = [
            "cargo::rustc-link-search=native=/opt/lib",
            "cargo::rustc-link-lib=one",
            "cargo::rustc-link-lib=static=two",
        ];
        assert_eq!(library.link_lines(), lines);
    }

    #[test]
    fn compiler_is_named_only_if_there_is_none() {
        let missing = super::not_compiled("ToolNotFound: failed to find tool \"cc\"");
        assert!(missing.contains("(Debian: gcc)"), "{missing}");
        let failed = super::not_compiled("ToolExecError: command did not execute successfully");
        assert!(!failed.contains("Debian"), "{failed}");
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
    fn bindings_are_those_of_the_target() {
        const CHILD: &str = "LEAKPROOF_BINDINGS_OF_A_TARGET";
        if std::env::var_os(CHILD).is_some() {
            let header = "#define WORD sizeof(long)\n";
            println!(
                "{}",
                bindings_of("target", header, Library::system()).unwrap()
            );
            return;
        }
        for (target, word) in [
            ("i686-unknown-linux-gnu", 4),
            ("aarch64-unknown-linux-gnu", 8),
        ] {
            // Cargo tells build scripts the target by this variable.
            let child = std::process::Command::new(std::env::current_exe().unwrap())
                .args([
                    "--exact",
                    "build::tests::bindings_are_those_of_the_target",
                    "--nocapture",
                ])
                .env("TARGET", target)
                .env(CHILD, "1")
                .output()
                .unwrap();
            let bindings = String::from_utf8_lossy(&child.stdout);
            let constant = format!("pub const WORD: u32 = {word};");
            assert!(bindings.contains(&constant), "{target}: {bindings}");
        }
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
    fn trimmed_inline_function_calls_the_c_function_made_for_it() {
        let header = "static inline int re_ask(int n) { return n; }\nstatic inline int ask(void) { return 1; }\n";
        let library = Library::system().trim_prefix("re_");
        let bindings = bindings_of("inline", header, library).unwrap();
        for (name, c_function) in [("ask", "re_ask"), ("ask1", "ask")] {
            let function = bindings.split(&format!("pub fn {name}(")).next().unwrap();
            let attribute = function
                .lines()
                .rev()
                .find(|line| line.contains("link_name"));
            let wanted = format!("#[link_name = \"{c_function}__leakproof_inline\"]");
            assert_eq!(attribute.map(str::trim), Some(&*wanted), "{bindings}");
        }
    }
}

//! Where a library is installed: by `pkg-config`, or by the variables of the `system-deps` crate.

use std::env;
use std::path::{Path, PathBuf};

use pkg_config::{Config, Error};

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

/// A library that a wrapper needs.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    pub(super) package: &'a str,
    /// This version or a newer one.
    pub(super) version: Option<&'a str>,
    /// The Debian package with the headers.
    pub(super) debian: Option<&'a str>,
}

/// A library that was found.
#[derive(Debug, Default)]
pub(super) struct Installed {
    /// The folders with headers.
    pub(super) includes: Vec<PathBuf>,
    pub(super) version: Version,
    /// The lines for cargo that link a library which variables name.
    lines: Vec<String>,
    /// The question to `pkg-config`, with the name of the package.
    asked: Option<(Config, String)>,
}

impl Installed {
    /// Prints the lines for cargo that link the library. Archives that need the library have to be printed before.
    pub(super) fn link(self) {
        for line in &self.lines {
            println!("{line}");
        }
        if let Some((mut config, package)) = self.asked {
            // It was found a moment ago.
            let _ = config.cargo_metadata(true).probe(&package);
        }
    }
}

impl Wanted<'_> {
    /// Finds the library.
    ///
    /// # Errors
    ///
    /// A message for whoever builds the wrapper.
    pub(super) fn find(&self) -> Result<Installed, String> {
        let named = self.named_by(&|name| {
            println!("cargo::rerun-if-env-changed={name}");
            env::var(name).ok()
        });
        match named? {
            Named::Installed(installed) => Ok(installed),
            Named::Nothing { is_static } => self.ask_pkg_config(is_static),
        }
    }

    /// The library as environment variables name it.
    fn named_by(&self, variable: &dyn Fn(&str) -> Option<String>) -> Result<Named, String> {
        let prefix = self.prefix();
        let own = |suffix: &str| variable(&format!("{prefix}_{suffix}"));
        let link = own("LINK").or_else(|| variable("SYSTEM_DEPS_LINK"));
        let is_static = link.as_deref() == Some("static");
        if own("NO_PKG_CONFIG").is_none() {
            return Ok(Named::Nothing { is_static });
        }
        let Some(libraries) = own("LIB") else {
            return Err(format!(
                "{prefix}_NO_PKG_CONFIG is set: name the libraries to link in {prefix}_LIB, with spaces between them"
            ));
        };
        let folders = |suffix: &str| {
            let value = own(suffix).unwrap_or_default();
            let folders: Vec<PathBuf> = env::split_paths(&value)
                .filter(|folder| !folder.as_os_str().is_empty())
                .collect();
            folders
        };
        let kind = if is_static { "static=" } else { "" };
        let mut lines: Vec<String> = folders("SEARCH_NATIVE")
            .iter()
            .map(|folder| search_line(folder))
            .collect();
        lines.extend(
            libraries
                .split_whitespace()
                .map(|name| format!("cargo::rustc-link-lib={kind}{name}")),
        );
        Ok(Named::Installed(Installed {
            includes: folders("INCLUDE"),
            version: Version::parse(self.version.unwrap_or_default()),
            lines,
            asked: None,
        }))
    }

    /// The beginning of the names of `system-deps`' variables: `SYSTEM_DEPS_LIBXML_2_0` for `libxml-2.0`.
    fn prefix(&self) -> String {
        let upper = self.package.to_ascii_uppercase();
        format!(
            "SYSTEM_DEPS_{}",
            upper.replace(|c: char| !c.is_ascii_alphanumeric(), "_")
        )
    }

    fn ask_pkg_config(&self, is_static: bool) -> Result<Installed, String> {
        let mut config = Config::new();
        config.cargo_metadata(false);
        if let Some(version) = self.version {
            config.atleast_version(version);
        }
        if is_static {
            config.statik(true);
        }
        match config.probe(self.package) {
            Ok(library) => Ok(Installed {
                includes: library.include_paths,
                version: Version::parse(&library.version),
                lines: Vec::new(),
                asked: Some((config, self.package.to_owned())),
            }),
            Err(error) => {
                let other = Config::new()
                    .cargo_metadata(false)
                    .env_metadata(false)
                    .probe(self.package);
                Err(self.not_found(&error, other.ok().map(|library| library.version).as_deref()))
            }
        }
    }

    /// The message about a library that `pkg-config` did not find. Names a package to install only if one is missing.
    /// `older` is the version that is installed, if it is too old.
    fn not_found(&self, error: &Error, older: Option<&str>) -> String {
        let Wanted {
            package, debian, ..
        } = self;
        let prefix = self.prefix();
        let wanted = match self.version {
            Some(version) => format!("{package} {version} or newer"),
            None => (*package).to_owned(),
        };
        let without = format!(
            "set {prefix}_NO_PKG_CONFIG=1, {prefix}_LIB, {prefix}_SEARCH_NATIVE and {prefix}_INCLUDE to build without \
             pkg-config"
        );
        match (error, older) {
            (_, Some(older)) => format!("{wanted} is needed, and {older} is installed\n{error}"),
            (Error::Command { command, cause }, _) => format!(
                "pkg-config is needed to find {wanted} (Debian: pkg-config): cannot run `{command}`: {cause}\n{without}"
            ),
            (Error::EnvNoPkgConfig(variable), _) => {
                format!("{variable} is set, so nobody knows where {wanted} is installed: {without}")
            }
            (Error::CrossCompilation, _) => format!("{wanted} is needed: {error}\n{without}"),
            (Error::ProbeFailure { output, .. } | Error::Failure { output, .. }, _)
                if other_is_missing(&String::from_utf8_lossy(&output.stderr)) =>
            {
                format!("a library that {package} requires is missing\n{error}")
            }
            _ => {
                let debian = debian.map(|name| format!(" (Debian: {name})"));
                format!("{wanted} is needed{}\n{error}", debian.unwrap_or_default())
            }
        }
    }
}

/// Returns whether `pkg-config` found the library, and misses another one that the library requires.
fn other_is_missing(stderr: &str) -> bool {
    // pkgconf says of the library itself that its `virtual:world` requires it.
    stderr
        .split("required by '")
        .skip(1)
        .any(|by| !by.starts_with("virtual:"))
}

/// A library as environment variables name it.
#[derive(Debug)]
enum Named {
    Installed(Installed),
    /// `pkg-config` has to be asked.
    Nothing {
        is_static: bool,
    },
}

/// The line for cargo that adds a folder with libraries.
pub(super) fn search_line(folder: &Path) -> String {
    format!("cargo::rustc-link-search=native={}", folder.display())
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::os::unix::process::ExitStatusExt;
    use std::path::PathBuf;
    use std::process::{ExitStatus, Output};

    use pkg_config::Error;

    use super::{Installed, Named, Version, Wanted};

    const WANTED: Wanted<'_> = Wanted {
        package: "libtree-2.0",
        version: Some("2.9.1"),
        debian: Some("libtree2-dev"),
    };

    fn named_by(variables: &[(&str, &str)]) -> Result<Named, String> {
        WANTED.named_by(&|name| {
            let mut variables = variables.iter();
            variables
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    fn installed_by(variables: &[(&str, &str)]) -> Installed {
        match named_by(variables) {
            Ok(Named::Installed(installed)) => installed,
            other => panic!("{other:?}"),
        }
    }

    /// Returns whether `pkg-config` is asked for an archive.
    fn is_static(variables: &[(&str, &str)]) -> bool {
        match named_by(variables) {
            Ok(Named::Nothing { is_static }) => is_static,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn library_that_variables_name_needs_no_pkg_config() {
        let installed = installed_by(&[
            ("SYSTEM_DEPS_LIBTREE_2_0_NO_PKG_CONFIG", "1"),
            ("SYSTEM_DEPS_LIBTREE_2_0_LIB", "tree2 leaf"),
            (
                "SYSTEM_DEPS_LIBTREE_2_0_SEARCH_NATIVE",
                "/opt/lib:/opt/lib64",
            ),
            ("SYSTEM_DEPS_LIBTREE_2_0_INCLUDE", "/opt/include"),
        ]);
        let lines = [
            "cargo::rustc-link-search=native=/opt/lib",
            "cargo::rustc-link-search=native=/opt/lib64",
            "cargo::rustc-link-lib=tree2",
            "cargo::rustc-link-lib=leaf",
        ];
        assert_eq!(installed.lines, lines);
        assert_eq!(installed.includes, [PathBuf::from("/opt/include")]);
        assert_eq!(installed.version, Version(2, 9));
        assert!(installed.asked.is_none());
    }

    #[test]
    fn library_without_pkg_config_has_to_be_named() {
        let message = named_by(&[("SYSTEM_DEPS_LIBTREE_2_0_NO_PKG_CONFIG", "1")]).unwrap_err();
        assert!(
            message.contains("in SYSTEM_DEPS_LIBTREE_2_0_LIB"),
            "{message}"
        );
    }

    #[test]
    fn link_static_is_heard_with_and_without_pkg_config() {
        for name in ["SYSTEM_DEPS_LINK", "SYSTEM_DEPS_LIBTREE_2_0_LINK"] {
            assert!(is_static(&[(name, "static")]));
            let installed = installed_by(&[
                (name, "static"),
                ("SYSTEM_DEPS_LIBTREE_2_0_NO_PKG_CONFIG", ""),
                ("SYSTEM_DEPS_LIBTREE_2_0_LIB", "tree2"),
            ]);
            assert_eq!(installed.lines, ["cargo::rustc-link-lib=static=tree2"]);
        }
        assert!(!is_static(&[]));
        assert!(!is_static(&[
            ("SYSTEM_DEPS_LINK", "static"),
            ("SYSTEM_DEPS_LIBTREE_2_0_LINK", "dynamic"),
        ]));
    }

    /// An answer of `pkg-config`.
    fn failure(stderr: &str) -> Error {
        Error::ProbeFailure {
            name: WANTED.package.into(),
            command: "pkg-config libtree-2.0".into(),
            output: Output {
                status: ExitStatus::from_raw(256),
                stdout: Vec::new(),
                stderr: stderr.into(),
            },
        }
    }

    #[test]
    fn missing_library_is_named_with_its_package() {
        // pkgconf's words; those of the older pkg-config have no second line.
        let error = failure(
            "Package libtree-2.0 was not found in the pkg-config search path.\n\
             Package 'libtree-2.0', required by 'virtual:world', not found",
        );
        let message = WANTED.not_found(&error, None);
        let first = message.lines().next();
        assert_eq!(
            first,
            Some("libtree-2.0 2.9.1 or newer is needed (Debian: libtree2-dev)")
        );
    }

    #[test]
    fn library_that_is_installed_is_not_said_to_be_missing() {
        let old = failure("Requested 'libtree-2.0 >= 2.9.1' but version of tree is 2.8.0");
        let required = failure("Package 'leaf', required by 'libtree-2.0', not found");
        let variable = Error::EnvNoPkgConfig("LIBTREE_2.0_NO_PKG_CONFIG".into());
        for (error, older, first) in [
            (
                old,
                Some("2.8.0"),
                "libtree-2.0 2.9.1 or newer is needed, and 2.8.0 is installed",
            ),
            (
                required,
                None,
                "a library that libtree-2.0 requires is missing",
            ),
            (
                Error::CrossCompilation,
                None,
                "libtree-2.0 2.9.1 or newer is needed: pkg-config has not been configured to support cross-compilation.",
            ),
            (
                variable,
                None,
                "LIBTREE_2.0_NO_PKG_CONFIG is set, so nobody knows where libtree-2.0 2.9.1 or newer is installed: ",
            ),
        ] {
            let message = WANTED.not_found(&error, older);
            assert!(message.starts_with(first), "{message}");
            assert!(!message.contains("libtree2-dev"), "{message}");
            assert!(!message.contains("Debian"), "{message}");
        }
    }

    #[test]
    fn pkg_config_itself_may_be_what_is_missing() {
        let error = Error::Command {
            command: "pkg-config libtree-2.0".into(),
            cause: io::Error::from(io::ErrorKind::NotFound),
        };
        let message = WANTED.not_found(&error, None);
        assert!(message.contains("(Debian: pkg-config)"), "{message}");
        assert!(!message.contains("libtree2-dev"), "{message}");
        assert!(
            message.contains("SYSTEM_DEPS_LIBTREE_2_0_NO_PKG_CONFIG=1"),
            "{message}"
        );
    }

    #[test]
    fn library_that_nobody_has_is_not_found() {
        let wanted = Wanted {
            package: "leakproof-has-no-such-library",
            version: None,
            debian: None,
        };
        let message = wanted.find().unwrap_err();
        assert!(!message.contains("is installed"), "{message}");
    }
}

//! Names in the bindings: prefixes and suffixes that they lose, and the C functions behind those that are
//! `static inline`.

use std::env;
use std::path::Path;

/// Prefixes and suffixes that names lose.
#[derive(Debug, Clone, Default)]
pub(super) struct Trimmed {
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
}

impl Trimmed {
    pub(super) fn is_empty(&self) -> bool {
        self.prefixes.is_empty() && self.suffixes.is_empty()
    }

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

/// The end of the names of C functions that call `static inline` functions. Two files of bindings in one program may
/// have the same functions.
pub(super) fn suffix_of(inline: &Path) -> String {
    let file = inline.file_name().unwrap_or_default().to_string_lossy();
    let (stem, _) = file.split_once('.').unwrap_or((&file, ""));
    let package = env::var("CARGO_PKG_NAME").unwrap_or_default();
    format!("__{package}_{stem}").replace(|c: char| !c.is_ascii_alphanumeric(), "_")
}

/// Lets the functions of `trimmed` that are `static inline` call the C functions that were made for `whole`.
pub(super) fn linked_to_inline(trimmed: &str, whole: &str, suffix: &str) -> String {
    let mut linked = trimmed.to_owned();
    for line in whole.lines().map(str::trim) {
        let name = line
            .strip_prefix("#[link_name = \"")
            .and_then(|rest| rest.strip_suffix("\"]"))
            .and_then(|name| name.strip_suffix(suffix));
        if let Some(name) = name {
            // bindgen marks the names of symbols that are not to be mangled by `\u{1}`.
            linked = linked.replace(
                &format!("\"\\u{{1}}{name}\""),
                &format!("\"{name}{suffix}\""),
            );
        }
    }
    linked
}

#[cfg(test)]
mod tests {
    use super::Trimmed;

    #[test]
    fn names_that_nothing_would_be_left_of_are_whole() {
        let trimmed = Trimmed {
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

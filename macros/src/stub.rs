//! Entries of the type stubs, in the JSON that PyO3 collects.

use std::sync::atomic::{AtomicU32, Ordering};

use proc_macro2::Ident;
use quote::format_ident;

/// `text` as a JSON string.
pub(crate) fn json_string(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json.push_str("\\n"),
            control if control.is_control() => {
                json.push_str(&format!("\\u{:04x}", u32::from(control)))
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// A symbol name that is unique in the program. PyO3 finds the entries by their symbols.
pub(crate) fn symbol() -> Ident {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let package = std::env::var("CARGO_CRATE_NAME").unwrap_or_default();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format_ident!("PYO3_INTROSPECTION_1_LEAKPROOF_{package}_{number}")
}

//! Text in records: the fields of a C struct that are arrays of characters.

use crate::error::{Error, Result};

/// An array of characters, which holds text up to its first NUL, or to its end.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the text of a record is an array of characters, and the field is `{Self}`",
    label = "the field is `{Self}`",
    note = "a record copies no memory behind a pointer: leave out the field, or write a handle and read the text by a method with \
            `#[field]`"
)]
pub trait Characters: Copy {
    /// Returns the text.
    fn text(&self) -> &[u8];

    /// Returns an array with this text, and with NULs behind it.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if there is a NUL inside, or no room for one at the end.
    fn of_text(name: &str, text: &[u8]) -> Result<Self>;
}

macro_rules! characters {
    ($($char:ty, $byte:ident => $value:expr;)+) => {$(
        impl<const N: usize> Characters for [$char; N] {
            fn text(&self) -> &[u8] {
                // SAFETY: Rust: the array has so many characters, each of one byte.
                let bytes = unsafe { std::slice::from_raw_parts(self.as_ptr().cast::<u8>(), N) };
                bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
            }

            fn of_text(name: &str, text: &[u8]) -> Result<Self> {
                if text.contains(&0) {
                    return Err(Error::Value(format!("{name} holds a NUL character")));
                }
                if text.len() >= N {
                    return Err(Error::Value(format!(
                        "{name} is too long: C has room for {} bytes, and the text has {}",
                        N.saturating_sub(1),
                        text.len()
                    )));
                }
                let mut bytes = text.iter().copied();
                Ok(std::array::from_fn(|_| {
                    let $byte = bytes.next().unwrap_or(0);
                    $value
                }))
            }
        }
    )+};
}

characters! {
    i8, byte => byte.cast_signed();
    u8, byte => byte;
}

/// Returns the text of a field as a `String`.
///
/// # Errors
///
/// [`Error::NotUtf8`] for text that is not UTF-8.
#[doc(hidden)]
pub fn string(field: &impl Characters, place: &'static str) -> Result<String> {
    let text = crate::fallible_copy::bytes(field.text());
    String::from_utf8(text).map_err(|error| Error::NotUtf8(place, error))
}

/// Returns the text of a field as a `String`; bytes that are not UTF-8 become U+FFFD.
#[doc(hidden)]
pub fn string_lossy(field: &impl Characters) -> String {
    crate::fallible_copy::string(field.text())
}

/// Returns the text of a field.
#[doc(hidden)]
pub fn c_string(field: &impl Characters) -> std::ffi::CString {
    crate::fallible_copy::c_string(field.text())
        .unwrap_or_else(|| unreachable!("the text ends before its first NUL"))
}

//! Looks at short texts of C's, such as names, without a call of a function that is made for long ones.
//!
//! Two reads that may overlap suffice for a text of up to sixteen bytes.

#[cfg(feature = "python")]
use std::ffi::CStr;

/// Returns the first and the last bytes of a text of up to sixteen bytes: together they are all of its bytes.
#[inline(always)]
fn ends(bytes: &[u8]) -> Option<(u64, u64)> {
    match bytes {
        [] => Some((0, 0)),
        [one] => Some(((*one).into(), 0)),
        [first, .., last] if bytes.len() < 4 => {
            let middle = bytes[bytes.len() / 2];
            Some((u16::from_ne_bytes([*first, middle]).into(), (*last).into()))
        }
        _ if bytes.len() <= 8 => {
            let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
            Some((
                u32::from_ne_bytes(*first).into(),
                u32::from_ne_bytes(*last).into(),
            ))
        }
        _ if bytes.len() <= 16 => {
            let (first, last) = (bytes.first_chunk()?, bytes.last_chunk()?);
            Some((u64::from_ne_bytes(*first), u64::from_ne_bytes(*last)))
        }
        _ => None,
    }
}

/// Returns whether all bytes are ASCII.
#[inline(always)]
pub(crate) fn is_ascii(bytes: &[u8]) -> bool {
    const NOT_ASCII: u64 = u64::from_ne_bytes([0x80; 8]);
    match ends(bytes) {
        Some((first, last)) => (first | last) & NOT_ASCII == 0,
        None => bytes.is_ascii(),
    }
}

/// The C string of text with a NUL behind it; `None` if there is another NUL.
#[cfg(feature = "python")]
#[inline(always)]
pub(crate) fn c_str(with_end: &[u8]) -> Option<&CStr> {
    let (end, text) = with_end.split_last()?;
    let is_c_string = *end == 0 && !has_nul(text);
    // SAFETY: Rust: the last byte is the only NUL, as was just asked.
    is_c_string.then(|| unsafe { CStr::from_bytes_with_nul_unchecked(with_end) })
}

/// Returns whether a byte is NUL.
#[cfg(feature = "python")]
#[inline(always)]
fn has_nul(bytes: &[u8]) -> bool {
    const fn has_zero(word: u64) -> bool {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        word.wrapping_sub(ONES) & !word & (ONES << 7) != 0
    }
    match (bytes.len(), ends(bytes)) {
        (0, _) => false,
        (1..4, _) => bytes[0] == 0 || bytes[bytes.len() / 2] == 0 || bytes[bytes.len() - 1] == 0,
        (4..=8, Some((first, last))) => has_zero(first | last << 32),
        (_, Some((first, last))) => has_zero(first) || has_zero(last),
        (_, None) => bytes.contains(&0),
    }
}

/// Returns whether both texts have the same bytes.
#[cfg(all(feature = "python", not(Py_GIL_DISABLED)))]
#[inline(always)]
pub(crate) fn are_equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    match (ends(one), ends(other)) {
        (Some(one), Some(other)) => one == other,
        _ => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::is_ascii;

    #[test]
    fn text_is_ascii_only_if_all_bytes_are() {
        for count in 0..40 {
            let mut text = vec![b'a'; count];
            assert!(is_ascii(&text));
            for place in 0..count {
                text[place] = 0x80;
                assert!(!is_ascii(&text), "{count} bytes, {place}");
                text[place] = 0x7f;
                assert!(is_ascii(&text));
            }
        }
    }

    #[cfg(feature = "python")]
    #[test]
    fn text_has_a_nul_at_any_place() {
        use super::has_nul;

        for filler in [1, b'a', 0x7f, 0x80, 0xff] {
            for count in 0..40 {
                let mut text = vec![filler; count];
                assert!(!has_nul(&text), "{count} bytes of {filler}");
                for place in 0..count {
                    text[place] = 0;
                    assert!(has_nul(&text), "{count} bytes of {filler}, {place}");
                    text[place] = filler;
                }
            }
        }
    }

    #[cfg(all(feature = "python", not(Py_GIL_DISABLED)))]
    #[test]
    fn texts_are_equal_only_if_all_bytes_are() {
        use super::are_equal;

        for count in 0..40_u8 {
            let text: Vec<u8> = (0..count).collect();
            let mut other = text.clone();
            assert!(are_equal(&text, &other));
            assert!(!are_equal(&text, &text[..usize::from(count.saturating_sub(1))]) || count == 0);
            for place in 0..usize::from(count) {
                other[place] ^= 0x80;
                assert!(!are_equal(&text, &other), "{count} bytes, {place}");
                other[place] ^= 0x80;
            }
        }
    }
}

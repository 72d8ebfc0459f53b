//! Looks at short texts of C's, such as names, without a call of a function that is made for long ones.
//!
//! Two reads that may overlap suffice for a text of up to sixteen bytes.

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

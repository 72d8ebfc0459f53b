//! Names and text as XML allows them, so that a document that is written can be parsed again.

use leakproof::prelude::*;

/// The namespace of `xml:lang` and its like, which has a prefix of its own.
pub(crate) const XML: &CStr = c"http://www.w3.org/XML/1998/namespace";

/// Returns `true` for a character that XML 1.0 allows in documents.
fn is_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
}

/// Checks the text of a node or of an attribute.
pub(crate) fn text(text: &CStr, what: &str) -> Result<()> {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=0x7F);
    match text.to_bytes().iter().all(is_plain) {
        true => Ok(()),
        false => allowed(text, what).map(drop),
    }
}

/// Returns the text, if XML allows all its characters.
fn allowed<'t>(text: &'t CStr, what: &str) -> Result<&'t str> {
    let text = text
        .to_str()
        .map_err(|_| Error::Value(format!("{what} is not valid Unicode")))?;
    match text.chars().find(|c| !is_char(*c)) {
        None => Ok(text),
        Some(c) => Err(Error::Value(format!(
            "{what} cannot contain the character U+{:04X}, which XML does not allow",
            u32::from(c)
        ))),
    }
}

/// Checks text that stands in a document as it is, without references.
fn verbatim<'t>(content: &'t CStr, what: &str) -> Result<&'t str> {
    let content = allowed(content, what)?;
    match content.contains('\r') {
        true => Err(Error::Value(format!(
            "{what} cannot contain a carriage return, which is read as a line feed"
        ))),
        false => Ok(content),
    }
}

/// Checks the text of a comment.
pub(crate) fn comment(content: &CStr) -> Result<()> {
    let content = verbatim(content, "a comment")?;
    match content.contains("--") || content.ends_with('-') {
        true => Err(Error::Value(
            "a comment cannot contain \"--\" or end with \"-\"".into(),
        )),
        false => Ok(()),
    }
}

/// Checks the text of a CDATA section.
pub(crate) fn cdata(content: &CStr) -> Result<()> {
    match verbatim(content, "a CDATA section")?.contains("]]>") {
        true => Err(Error::Value(
            "a CDATA section cannot contain \"]]>\": write two sections, or a text node".into(),
        )),
        false => Ok(()),
    }
}

/// Checks the text of a processing instruction.
pub(crate) fn instruction(content: &CStr) -> Result<()> {
    let content = verbatim(content, "a processing instruction")?;
    if content.contains("?>") {
        return Err(Error::Value(
            "a processing instruction cannot contain \"?>\"".into(),
        ));
    }
    match content.starts_with([' ', '\t', '\n']) {
        true => Err(Error::Value(
            "the text of a processing instruction cannot begin with white space, which separates it from the target"
                .into(),
        )),
        false => Ok(()),
    }
}

/// Checks the target of a processing instruction.
pub(crate) fn target(target: &CStr) -> Result<()> {
    let name = name(target, "the target of a processing instruction")?;
    match name.eq_ignore_ascii_case("xml") {
        true => Err(Error::Value(
            "a processing instruction cannot have the target \"xml\", which is reserved for the XML declaration".into(),
        )),
        false => Ok(()),
    }
}

/// Checks the name of a document type, which may have a prefix.
pub(crate) fn doctype(name: &CStr) -> Result<()> {
    let text = name.to_str().unwrap_or_default();
    let (first, second) = text.split_once(':').unwrap_or((text, "_"));
    match is_name(first) && is_name(second) {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "{:?} cannot be the name of a document type: a name begins with a letter or \"_\", has no spaces, and one \
             colon at most, behind a prefix",
            name.to_string_lossy()
        ))),
    }
}

/// Checks a public identifier. It is written in double quotes, which it cannot contain.
pub(crate) fn public_id(id: &CStr) -> Result<()> {
    let is_allowed = |c: char| {
        c.is_ascii_alphanumeric() || matches!(c, ' ' | '\n') || "-'()+,./:=?;!*#@$_%".contains(c)
    };
    let text = verbatim(id, "a public identifier")?;
    match text.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some(c) => Err(Error::Value(format!(
            "a public identifier cannot contain {c:?}: it has letters and digits of ASCII, spaces, and any of \
             -'()+,./:=?;!*#@$_%"
        ))),
    }
}

/// Checks a system identifier. It is written in quotes of one kind or the other.
pub(crate) fn system_id(id: &CStr) -> Result<()> {
    let text = verbatim(id, "a system identifier")?;
    match text.contains('"') && text.contains('\'') {
        true => Err(Error::Value(
            "a system identifier cannot contain both \" and ': write %22 or %27".into(),
        )),
        false => Ok(()),
    }
}

/// Returns `true` for a character that a name may begin with. Colons separate prefixes, and are not part of names here.
fn is_name_start(c: char) -> bool {
    matches!(c, 'A'..='Z' | '_' | 'a'..='z' | '\u{C0}'..='\u{D6}' | '\u{D8}'..='\u{F6}' | '\u{F8}'..='\u{2FF}'
        | '\u{370}'..='\u{37D}' | '\u{37F}'..='\u{1FFF}' | '\u{200C}'..='\u{200D}' | '\u{2070}'..='\u{218F}'
        | '\u{2C00}'..='\u{2FEF}' | '\u{3001}'..='\u{D7FF}' | '\u{F900}'..='\u{FDCF}' | '\u{FDF0}'..='\u{FFFD}'
        | '\u{10000}'..='\u{EFFFF}')
}

fn is_name_char(c: char) -> bool {
    is_name_start(c)
        || matches!(c, '-' | '.' | '0'..='9' | '\u{B7}' | '\u{300}'..='\u{36F}' | '\u{203F}'..='\u{2040}')
}

/// Returns `true` for a name without a prefix.
fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(is_name_start) && chars.all(is_name_char)
}

/// Checks a name without a prefix.
pub(crate) fn check_name(name: &CStr, what: &str) -> Result<()> {
    let is_start = |byte: u8| matches!(byte, b'A'..=b'Z' | b'_' | b'a'..=b'z');
    let is_plain = |byte: &u8| is_start(*byte) || matches!(byte, b'-' | b'.' | b'0'..=b'9');
    match name.to_bytes() {
        [first, others @ ..] if is_start(*first) && others.iter().all(is_plain) => Ok(()),
        _ => self::name(name, what).map(drop),
    }
}

/// Returns a name without a prefix, if it is one.
pub(crate) fn name<'n>(name: &'n CStr, what: &str) -> Result<&'n str> {
    let text = name.to_str().unwrap_or_default();
    match is_name(text) {
        true => Ok(text),
        false => {
            let has_namespace = what.ends_with("an element") || what.ends_with("an attribute");
            let hint = match text.strip_prefix("xml:") {
                Some(local) if has_namespace => {
                    format!(". Write \"{{{}}}{local}\"", XML.to_string_lossy())
                }
                None if has_namespace && text.contains([':', '{']) => {
                    ". Elements and attributes are made in a namespace by \"{uri}name\", and put into one by \
                     `namespace`"
                        .to_owned()
                }
                _ => String::new(),
            };
            Err(Error::Value(format!(
                "{:?} cannot be {what}: a name begins with a letter or \"_\", and has no spaces and no colon{hint}",
                name.to_string_lossy()
            )))
        }
    }
}

/// Splits a name that is written as `{uri}local`. A local name has no brace, and a URI may have one.
pub(crate) fn split(written: &CStr) -> (Option<&[u8]>, &CStr) {
    let rest = written.to_bytes_with_nul().strip_prefix(b"{");
    let parts = rest.and_then(|rest| {
        let end = rest.iter().rposition(|byte| *byte == b'}')?;
        let local = CStr::from_bytes_with_nul(&rest[end + 1..]).ok()?;
        Some((&rest[..end], local))
    });
    parts.map_or((None, written), |(uri, local)| (Some(uri), local))
}

/// Checks a name to look for: `local` or `{uri}local`, either with `*`. The parser also makes names with a colon, where
/// a prefix is not declared.
pub(crate) fn pattern(written: &CStr) -> Result<()> {
    let local = split(written).1.to_str().unwrap_or_default();
    let is_name =
        local.starts_with(is_name_start) && local.chars().all(|c| c == ':' || is_name_char(c));
    match is_name || local == "*" {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "{:?} is no name to look for: write \"name\", \"{{uri}}name\", or \"*\" for any name or URI",
            written.to_string_lossy()
        ))),
    }
}

/// The parts of a name as `{uri}local`, or `local` alone.
pub(crate) struct QualifiedName<'w> {
    pub(crate) uri: Option<CString>,
    pub(crate) local: &'w CStr,
}

impl<'w> QualifiedName<'w> {
    /// Splits a name, and checks its parts.
    pub(crate) fn parse(written: &'w CStr, what: &str) -> Result<Self> {
        let rest = written.to_bytes_with_nul().strip_prefix(b"{");
        let end = rest.and_then(|rest| rest.iter().position(|byte| *byte == b'}'));
        let (uri, local) = match rest.zip(end) {
            None => (None, written),
            Some((rest, end)) => {
                let local = CStr::from_bytes_with_nul(&rest[end + 1..]).map_err(|_| no_nul())?;
                (Some(&rest[..end]), local)
            }
        };
        check_name(local, what)?;
        let uri = match uri.filter(|uri| !uri.is_empty()).map(copy).transpose()? {
            None => None,
            Some(uri) => {
                text(&uri, "the URI of a namespace")?;
                Some(uri)
            }
        };
        Ok(QualifiedName { uri, local })
    }
}

/// Copies text without a NUL.
fn copy(text: &[u8]) -> Result<CString> {
    CString::new(text).map_err(|_| no_nul())
}

fn no_nul() -> Error {
    Error::Value("a name cannot contain a NUL".into())
}

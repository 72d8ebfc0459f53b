//! The parts of the XML that libxml2 writes: text and values, in which a character reference stands for a character,
//! and the rest, in which it does not.

use leakproof::prelude::*;

use super::encode::{Encoder, Place};
use super::inherited::Inherited;
use super::uris::Uris;

/// Follows the XML, and passes its parts to the encoder.
#[derive(Debug)]
pub(super) struct Scanner {
    pub(super) encoder: Encoder,
    state: State,
    /// Set while the XML is inside the DTD.
    in_dtd: bool,
    /// The beginning of a character whose other bytes come with the next part.
    incomplete: Vec<u8>,
    /// The text of the markup declaration before its literals.
    declaration: String,
    /// Set if references to characters beyond ASCII become these characters.
    expand: bool,
    /// The beginning of a reference.
    reference: Option<Vec<u8>>,
    /// The rules for the URIs of namespaces, if these need any.
    uris: Option<Uris>,
    /// The declarations that come behind the name of the first element.
    inherited: Option<Inherited>,
    /// The name of the attribute that the scanner is in, if there are rules.
    attribute: String,
    /// The beginning of the URI of a namespace.
    uri: Option<Vec<u8>>,
}

/// The place that the scanner has reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// After `<`.
    Opening,
    /// After `<!`.
    Exclamation,
    /// After `<!-`.
    OpeningComment,
    /// In a comment, after this number of hyphens.
    Comment(u8),
    /// In a CDATA section, after this number of closing brackets.
    Cdata(u8),
    /// In a processing instruction; `true` after a question mark.
    Instruction(bool),
    Tag,
    /// In a value, up to this quote.
    Value(u8),
    /// In the document type declaration, outside its brackets.
    Doctype,
    /// Between the declarations of the DTD.
    Subset,
    /// In a declaration of the DTD.
    Declaration,
    /// In a literal that can have character references.
    Literal(u8),
    /// In an identifier, which can't.
    Identifier(u8),
    /// In an identifier of the document type declaration.
    DoctypeIdentifier(u8),
}

impl Scanner {
    pub(super) fn new(encoder: Encoder, expand: bool, uris: Option<Uris>) -> Self {
        Scanner {
            encoder,
            state: State::Text,
            in_dtd: false,
            incomplete: Vec::new(),
            declaration: String::new(),
            expand,
            reference: None,
            uris,
            inherited: None,
            attribute: String::new(),
            uri: None,
        }
    }

    /// Adds declarations to the start tag that comes first.
    pub(super) fn inherit(&mut self, inherited: Inherited) {
        self.inherited = Some(inherited);
    }

    /// Writes the declarations that the start tag inherits, if it comes first.
    pub(super) fn inherited(&mut self) -> Result<()> {
        let inherited = self.inherited.take();
        inherited.map_or(Ok(()), |inherited| inherited.write(&mut self.encoder))
    }

    /// Writes a part of the XML, in UTF-8.
    pub(super) fn xml(&mut self, bytes: &[u8]) -> Result<()> {
        let behind_name = match self.inherited {
            Some(_) => bytes.iter().position(|byte| b" />".contains(byte)),
            None => None,
        };
        let Some(end) = behind_name else {
            return self.as_it_is(bytes);
        };
        let (name, rest) = bytes.split_at(end);
        self.as_it_is(name)?;
        self.inherited()?;
        self.as_it_is(rest)
    }

    fn as_it_is(&mut self, bytes: &[u8]) -> Result<()> {
        if !self.expand && self.is_one_part() {
            return self.encoder.utf8(bytes);
        }
        let joined;
        let mut bytes = bytes;
        if !self.incomplete.is_empty() {
            joined = [&*std::mem::take(&mut self.incomplete), bytes].concat();
            bytes = &joined;
        }
        loop {
            match std::str::from_utf8(bytes) {
                Ok(text) => return self.text(text),
                Err(error) => {
                    let (valid, rest) = bytes.split_at(error.valid_up_to());
                    self.text(&String::from_utf8_lossy(valid))?;
                    let Some(length) = error.error_len() else {
                        self.incomplete = rest.to_vec();
                        return Ok(());
                    };
                    self.text("\u{fffd}")?;
                    bytes = &rest[length..];
                }
            }
        }
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        if let Some(rest) = self.reference.take() {
            self.encoder.content(&String::from_utf8_lossy(&rest))?;
        }
        self.encoder.finish()
    }

    /// Writes text up to each change of the state; in UTF-8, all that is between two references, because it makes no
    /// difference there which part it is.
    fn text(&mut self, text: &str) -> Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        let has_uris = self.uris.is_some();
        let is_one_part = self.is_one_part();
        let bytes = text.as_bytes();
        let (mut start, mut place) = (0, 0);
        while let Some(rest) = bytes.get(place..) {
            if self.reference.is_none() && !has_uris {
                place = match is_one_part && self.is_in_element() {
                    true => self.behind_element(bytes, place),
                    false => place + self.unchanging(rest),
                };
            }
            let Some(&byte) = bytes.get(place) else {
                break;
            };
            place += 1;
            if self.uri.is_some() || self.begins_uri(byte) {
                if start < place - 1 {
                    self.part(&text[start..place - 1])?;
                }
                start = place;
                self.declare(byte)?;
                continue;
            }
            if self.reference.is_some() || (byte == b'&' && self.expands()) {
                if start < place - 1 {
                    self.part(&text[start..place - 1])?;
                }
                start = place;
                self.refer(byte)?;
                continue;
            }
            let next = self.next(byte);
            if next == self.state {
                continue;
            }
            if !is_one_part {
                let end = match byte.is_ascii() {
                    true => place,
                    false => place - 1,
                };
                self.part(&text[start..end])?;
                start = end;
            }
            self.state = next;
        }
        self.part(&text[start..])
    }

    /// Returns `true` if it makes no difference to which part a character belongs.
    fn is_one_part(&self) -> bool {
        self.encoder.takes_utf8() && self.uris.is_none()
    }

    /// Returns `true` in a tag, in a value, and in text.
    fn is_in_element(&self) -> bool {
        let is_inside = matches!(
            self.state,
            State::Text | State::Opening | State::Tag | State::Value(_)
        );
        is_inside && !self.in_dtd
    }

    /// Returns the place of the first byte that may begin a reference to a character, and of that behind `<` which
    /// begins something else than a tag. Up to there tags, values and text are not told apart: libxml2 writes `&#x` in
    /// values only.
    fn behind_element(&mut self, bytes: &[u8], from: usize) -> usize {
        let is_opening = self.state == State::Opening;
        let rest = bytes.get(from..).unwrap_or_default();
        let found = memchr::memchr3_iter(b'&', b'!', b'?', rest).find(|found| {
            let place = from + found;
            match (bytes[place], place.checked_sub(1)) {
                (b'&', _) => bytes[place + 1..].iter().zip(b"#x").all(|(a, b)| a == b),
                (_, Some(before)) => bytes[before] == b'<',
                (_, None) => is_opening,
            }
        });
        let place = found.map_or(bytes.len(), |found| from + found);
        self.state = match (bytes.get(place), bytes.last()) {
            (Some(b'&'), _) => State::Value(b'"'),
            (Some(_), _) | (None, Some(b'<')) => State::Opening,
            (None, _) => State::Text,
        };
        place
    }

    /// Returns the number of bytes before the first one that may change the state, or begin a reference.
    fn unchanging(&self, bytes: &[u8]) -> usize {
        let mut all = bytes.iter();
        let found = match self.state {
            State::Text => all.position(|byte| *byte == b'<'),
            State::Tag => all.position(|byte| matches!(byte, b'"' | b'\'' | b'>')),
            State::Value(quote) => all.position(|byte| *byte == quote || *byte == b'&'),
            _ => Some(0),
        };
        found.unwrap_or(bytes.len())
    }

    /// Returns `true` for the quote before the URI of a namespace.
    fn begins_uri(&mut self, byte: u8) -> bool {
        if self.uris.is_none() || self.state != State::Tag {
            return false;
        }
        match byte {
            b'"' | b'\'' => self.attribute == "xmlns" || self.attribute.starts_with("xmlns:"),
            b' ' | b'\n' | b'>' => {
                self.attribute.clear();
                false
            }
            b'=' => false,
            other => {
                self.attribute.push(char::from(other));
                false
            }
        }
    }

    /// Takes one byte of a quoted URI, and writes the URI at its end.
    fn declare(&mut self, byte: u8) -> Result<()> {
        let State::Value(quote) = self.state else {
            self.state = State::Value(byte);
            self.uri = Some(Vec::new());
            return Ok(());
        };
        if byte != quote {
            self.uri.get_or_insert_default().push(byte);
            return Ok(());
        }
        self.state = State::Tag;
        let uri = self.uri.take().unwrap_or_default();
        let uri = String::from_utf8_lossy(&uri);
        match &self.uris {
            Some(uris) => self.encoder.content(&format!("\"{}\"", uris.written(&uri))),
            None => Ok(()),
        }
    }

    fn expands(&self) -> bool {
        self.expand && matches!(self.state, State::Value(_))
    }

    /// Takes one byte of a reference.
    fn refer(&mut self, byte: u8) -> Result<()> {
        let reference = self.reference.get_or_insert_default();
        reference.push(byte);
        if byte != b';' {
            return Ok(());
        }
        let reference = String::from_utf8_lossy(reference).into_owned();
        self.reference = None;
        let digits = reference
            .strip_prefix("&#x")
            .and_then(|rest| rest.strip_suffix(';'));
        let character = digits
            .and_then(|digits| u32::from_str_radix(digits, 16).ok())
            .and_then(char::from_u32)
            .filter(|character| *character >= '\u{a0}');
        match character {
            Some(character) => self.encoder.content(character.encode_utf8(&mut [0; 4])),
            None => self.encoder.content(&reference),
        }
    }

    /// Writes a part that belongs to one state.
    fn part(&mut self, text: &str) -> Result<()> {
        match self.state {
            State::Text | State::Value(_) | State::Literal(_) => self.encoder.content(text),
            State::Cdata(_) => self.encoder.cdata(text),
            State::Comment(_) => self.encoder.verbatim(text, Place::Comment),
            State::Instruction(_) => self.encoder.verbatim(text, Place::Instruction),
            State::Doctype
            | State::DoctypeIdentifier(_)
            | State::Subset
            | State::Declaration
            | State::Identifier(_) => self.encoder.verbatim(text, Place::Dtd),
            State::Opening | State::Exclamation | State::OpeningComment | State::Tag => {
                self.encoder.verbatim(text, Place::Name)
            }
        }
    }

    /// Returns the state after `byte`.
    fn next(&mut self, byte: u8) -> State {
        match (self.state, byte) {
            (State::Text, b'<') => State::Opening,
            (State::Subset, b'<') => State::Opening,
            (State::Opening, b'!') => State::Exclamation,
            (State::Opening, b'?') => State::Instruction(false),
            (State::Opening, b'/') => State::Tag,
            (State::Opening, _) => State::Tag,
            (State::Exclamation, b'-') => State::OpeningComment,
            (State::Exclamation, b'[') => State::Cdata(0),
            (State::Exclamation, _) if self.in_dtd => {
                self.declaration.clear();
                self.declaration.push(char::from(byte));
                State::Declaration
            }
            (State::Exclamation, _) => State::Doctype,
            (State::OpeningComment, _) => State::Comment(0),
            (State::Comment(2..), b'>') | (State::Instruction(true), b'>') => self.outside(),
            (State::Comment(hyphens), b'-') => State::Comment(hyphens.saturating_add(1).min(2)),
            (State::Comment(_), _) => State::Comment(0),
            (State::Instruction(_), _) => State::Instruction(byte == b'?'),
            (State::Cdata(2..), b'>') => State::Text,
            (State::Cdata(brackets), b']') => State::Cdata(brackets.saturating_add(1).min(2)),
            (State::Cdata(_), _) => State::Cdata(0),
            (State::Tag, b'"' | b'\'') => State::Value(byte),
            (State::Tag, b'>') => State::Text,
            (State::Value(quote), _) if byte == quote => State::Tag,
            (State::Doctype, b'"' | b'\'') => State::DoctypeIdentifier(byte),
            (State::DoctypeIdentifier(quote), _) if byte == quote => State::Doctype,
            (State::Doctype, b'[') => {
                self.in_dtd = true;
                State::Subset
            }
            (State::Subset, b']') => {
                self.in_dtd = false;
                State::Doctype
            }
            (State::Doctype, b'>') => State::Text,
            (State::Declaration, b'"' | b'\'') if self.has_value() => State::Literal(byte),
            (State::Declaration, b'"' | b'\'') => State::Identifier(byte),
            (State::Literal(quote) | State::Identifier(quote), _) if byte == quote => {
                State::Declaration
            }
            (State::Declaration, b'>') => State::Subset,
            (State::Declaration, _) => {
                self.declaration.push(char::from(byte));
                State::Declaration
            }
            (state, _) => state,
        }
    }

    /// Returns the state around a comment or an instruction.
    fn outside(&self) -> State {
        match self.in_dtd {
            true => State::Subset,
            false => State::Text,
        }
    }

    /// Returns `true` if the literals of the declaration are values: of an internal entity, or of attributes.
    fn has_value(&self) -> bool {
        let mut words = self.declaration.split_ascii_whitespace();
        match words.next() {
            Some("ENTITY") => {
                let mut after_name = words.skip_while(|word| *word == "%").skip(1);
                !after_name.any(|word| matches!(word, "SYSTEM" | "PUBLIC"))
            }
            Some("ATTLIST") => true,
            _ => false,
        }
    }
}

//! Documents and texts that inclusions read. The caller's policy decides, as for external entities.

use leakproof::prelude::*;

use crate::decode::Decoder;
use crate::document::Document;
use crate::external_entities::{Address, Content, External};
use crate::parsing::parse_included;

/// Reads an address, or returns why it is not read.
fn read(
    external: Option<&External>,
    address: &CStr,
    in_folder: bool,
) -> Result<Result<Content, String>> {
    let not_read = |why: &str| format!("{} is not read: {why}", address.to_string_lossy());
    let Some(external) = external else {
        return Ok(Err(not_read("xinclude was given no `external`")));
    };
    let address = Address {
        system: address.to_owned(),
        public: None,
    };
    let content = external.content(&address, in_folder)?;
    Ok(content.map_err(|why| not_read(&why)))
}

/// Reads a document. `has_file` says that relative addresses were resolved against that of a file.
pub(super) fn document(
    external: Option<&External>,
    address: &CStr,
    has_file: bool,
    is_huge: bool,
) -> Result<Result<Owned<'static, Document>, String>> {
    match read(external, address, !has_file)? {
        Ok(content) => parse_included(&content, address, external, !has_file, is_huge).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

/// Reads a text.
pub(super) fn text(
    external: Option<&External>,
    address: &CStr,
    has_file: bool,
    encoding: Option<&str>,
) -> Result<Result<String, String>> {
    let decoder = Decoder {
        recover: false,
        file: Some(address),
    };
    match read(external, address, !has_file)? {
        Ok(Content::Text(text)) => Ok(Ok(text)),
        Ok(Content::Bytes(bytes)) => decoder.plain(&bytes, encoding).map(Ok),
        Err(why) => Ok(Err(why)),
    }
}

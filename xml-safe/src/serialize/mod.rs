//! Writing documents and nodes as XML, HTML, XHTML or canonical XML: to text, to bytes, and to files.
//!
//! libxml2 writes XML and canonical XML, always in UTF-8 and to an output buffer ([`output`]). The buffer passes each
//! part to a callback, which encodes the part ([`encode`], [`scan`]) and writes it to memory or to a file ([`target`]).
//! So a document that is written to a file is never in memory as a whole.
//!
//! HTML and XHTML are written here ([`markup`]). libxml2's functions for them add elements and attributes, change the
//! tree meanwhile, and write CDATA sections into HTML without escapes, which lets text become scripts.
//!
//! Encodings are Python's, as for parsing. libxml2's own table of encodings is process-wide, and its converters put
//! character references into comments and names.

mod argument;
mod c14n;
mod encode;
mod inherited;
mod markup;
mod methods;
mod options;
mod output;
pub(crate) mod python;
mod scan;
mod target;
pub(crate) mod uris;
mod xml;

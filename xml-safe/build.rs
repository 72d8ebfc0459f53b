//! Makes the raw bindings of the installed libxml2, from its own headers.

use std::path::Path;
use std::{env, fs};

use leakproof::build::{Library, Version};

fn main() {
    let version = Library::new("libxml-2.0")
        .atleast_version("2.9.14")
        .debian("libxml2-dev")
        .headers(&[
            "libxml/c14n.h",
            "libxml/parser.h",
            "libxml/parserInternals.h",
            "libxml/SAX2.h",
            "libxml/hash.h",
            "libxml/tree.h",
            "libxml/uri.h",
            "libxml/xmlIO.h",
            "libxml/xmlsave.h",
            "libxml/xpath.h",
            "libxml/xpathInternals.h",
        ])
        .allowlist_item(
            "xml(Init|New|Free|Ctxt|XPath|Doc|Node|Get|Has|Buffer|Save|SAX2).*|xml[A-Z][A-Za-z]*|xmlC14N.*|__xml.*|XML_.*|XPATH_.*|\
             inputPop|valuePop|valuePush|[a-zA-Z]+SAX2?Func",
        )
        .write("libxml2.rs");
    // From here on the parser itself can leave external entities alone (XML_PARSE_NO_XXE).
    version.cfg_since("has_no_xxe", Version(2, 13));
    // From here on libxml2 marks an entity while it expands it.
    version.cfg_since("marks_entities", Version(2, 13));
    // From here on libxml2 writes references in the URIs of namespaces, but not in canonical XML.
    version.cfg_since("refers_in_uris", Version(2, 13));
    // From here on libxml2 frees a value that it can't push.
    version.cfg_since("frees_unpushed", Version(2, 11));
    // From here on libxml2 takes an external entity's text from the declaration, and its parser has no state "in the value
    // of an attribute" that a handler could see.
    version.cfg_since("has_external_text", Version(2, 14));
    let bindings = env::var_os("OUT_DIR")
        .and_then(|folder| fs::read_to_string(Path::new(&folder).join("libxml2.rs")).ok())
        .unwrap_or_default();
    let input = bindings
        .split_once("pub struct _xmlParserInput {")
        .and_then(|(_, rest)| rest.split_once('}'))
        .map_or("", |(fields, _)| fields);
    cfg("has_entity_of_input", input.contains("pub entity:"));
    cfg("has_pop_input", bindings.contains("fn xmlCtxtPopInput("));
    cfg("has_value_push", bindings.contains("fn xmlXPathValuePush("));
    cfg(
        "has_max_amplification",
        bindings.contains("fn xmlCtxtSetMaxAmplification("),
    );
    cfg(
        "has_node_hooks",
        bindings.contains("fn __xmlRegisterNodeDefaultValue("),
    );
    cfg(
        "has_debug_entities",
        bindings.contains("fn __xmlParserDebugEntities("),
    );
}

/// Lets the crate ask `cfg(name)`.
fn cfg(name: &str, holds: bool) {
    println!("cargo::rustc-check-cfg=cfg({name})");
    if holds {
        println!("cargo::rustc-cfg={name}");
    }
}

//! Makes the raw bindings of the installed libxml2, from its own headers.

use leakproof::build::{Library, Version};

fn main() {
    let version = Library::new("libxml-2.0")
        .at_least("2.9.14")
        .debian("libxml2-dev")
        .headers(&["libxml/parser.h", "libxml/tree.h", "libxml/xmlsave.h", "libxml/xpath.h", "libxml/xpathInternals.h"])
        .allow("xml(Init|New|Free|Ctxt|XPath|Doc|Node|Get|Has|Buffer).*|xml[A-Z][A-Za-z]*|__xml(Structured|Generic)Error|XML_.*|XPATH_.*")
        .write("libxml2.rs");
    // From here on the parser itself can leave external entities alone (XML_PARSE_NO_XXE).
    version.cfg_since("has_no_xxe", Version(2, 13));
}

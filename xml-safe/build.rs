//! Makes the raw bindings of the installed libxml2, from its own headers.

use std::env;
use std::path::PathBuf;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let library = match pkg_config::Config::new()
        .atleast_version("2.9.14")
        .probe("libxml-2.0")
    {
        Ok(library) => library,
        Err(error) => {
            panic!("libxml2 2.9.14 or newer is needed (Debian: libxml2-dev, pkg-config)\n{error}")
        }
    };
    // From 2.13 on the parser itself can leave external entities alone (XML_PARSE_NO_XXE).
    println!("cargo::rustc-check-cfg=cfg(has_no_xxe)");
    if version_number(&library.version) >= (2, 13) {
        println!("cargo::rustc-cfg=has_no_xxe");
    }
    let includes = library
        .include_paths
        .iter()
        .map(|path| format!("-I{}", path.display()));
    let bindings = bindgen::builder()
        .header_contents(
            "libxml2.h",
            "#include <libxml/parser.h>\n#include <libxml/tree.h>\n#include <libxml/xpath.h>\n\
             #include <libxml/xpathInternals.h>\n#include <libxml/xmlerror.h>\n",
        )
        .clang_args(includes)
        .allowlist_function("xml(Init|New|Free|Ctxt|XPath|Doc|Node|Get|Has|Buffer).*")
        .allowlist_type("xml.*")
        .allowlist_var("XML_.*|xmlFree")
        .blocklist_function("xml(XPath)?.*[vV]a?list.*")
        .default_enum_style(bindgen::EnumVariation::Consts)
        .prepend_enum_name(false)
        .layout_tests(false)
        .generate_comments(false)
        .parse_callbacks(Box::new(bindgen::CargoCallbacks::new()))
        .generate();
    let bindings = match bindings {
        Ok(bindings) => bindings,
        Err(error) => {
            panic!("bindgen could not read libxml2's headers (Debian: libclang-dev)\n{error}")
        }
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default()).join("libxml2.rs");
    if let Err(error) = bindings.write_to_file(&out) {
        panic!("cannot write {}: {error}", out.display());
    }
}

fn version_number(version: &str) -> (u32, u32) {
    let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

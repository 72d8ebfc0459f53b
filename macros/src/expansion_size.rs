//! Test of the size of generated code, over all examples. Code that is the same for every method
//! belongs to the runtime.

use std::collections::BTreeMap;
use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, ImplItem, Item};

/// Removes `#[name(args)]` from the attributes. Returns the arguments.
fn take(attributes: &mut Vec<Attribute>, name: &str) -> Option<TokenStream> {
    let index = attributes
        .iter()
        .position(|attribute| attribute.path().is_ident(name))?;
    match attributes.remove(index).meta {
        syn::Meta::List(list) => Some(list.tokens),
        _ => Some(TokenStream::new()),
    }
}

/// The items, including those that exist only with Python.
fn items(tokens: TokenStream) -> Vec<Item> {
    let file: syn::File = syn::parse2(tokens).unwrap();
    let mut found = Vec::new();
    for item in file.items {
        match item {
            Item::Macro(item) if item.mac.path.segments.last().unwrap().ident == "__python" => {
                found.extend(items(item.mac.tokens));
            }
            item => found.push(item),
        }
    }
    found
}

/// The number of lines of an item after formatting, without comments. The prefix that all paths of the runtime share is
/// left out: its length says nothing about the code.
fn lines(item: Item) -> usize {
    let file = syn::File {
        shebang: None,
        frontmatter: None,
        attrs: Vec::new(),
        items: vec![item],
    };
    let file = file.to_token_stream().to_string();
    let file = file.replace(":: leakproof :: __private ::", ":: leakproof ::");
    let text = prettyplease::unparse(&syn::parse_str(&file).unwrap());
    text.lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .count()
}

/// Adds the number of lines of each method in `tokens` to `sizes`, by name. A method that is generic over the copy of
/// its result counts as the method that calls it.
fn methods(tokens: TokenStream, sizes: &mut BTreeMap<String, usize>) {
    for item in items(tokens) {
        let Item::Impl(mut block) = item else {
            continue;
        };
        for item in std::mem::take(&mut block.items) {
            if let ImplItem::Fn(function) = &item {
                let name = function.sig.ident.to_string();
                let called = name
                    .strip_prefix("__")
                    .and_then(|name| name.strip_suffix("_copied"));
                let name = called.unwrap_or(&name).to_owned();
                let mut single = block.clone();
                single.attrs.clear();
                single.items.push(item);
                *sizes.entry(name).or_default() += lines(Item::Impl(single)) - 2;
            }
        }
    }
}

#[test]
fn generated_methods_stay_small() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    for example in ["cairo", "magic", "sqlite", "zlib"] {
        let sources = root.join("examples").join(example).join("src");
        let files = std::fs::read_dir(sources).unwrap();
        let written = files.flat_map(|file| {
            let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
            syn::parse_file(&text).unwrap().items
        });
        let (mut handles, mut sizes) = (Vec::new(), BTreeMap::new());
        let mut generated = Vec::new();
        for item in written {
            match item {
                Item::Struct(mut item) => {
                    if let Some(args) = take(&mut item.attrs, "handle") {
                        let tokens = crate::handle::handle(args, item.into_token_stream());
                        handles.push(items(tokens).into_iter().map(lines).sum::<usize>());
                    }
                }
                Item::Impl(mut item) => {
                    if let Some(args) = take(&mut item.attrs, "methods") {
                        for item in &item.items {
                            if let ImplItem::Verbatim(method) = item {
                                let text = method.to_string();
                                let name = text.split("fn ").nth(1).unwrap();
                                generated.push(name.split([' ', '(']).next().unwrap().to_owned());
                            }
                        }
                        let mut block = BTreeMap::new();
                        methods(
                            crate::methods::methods(args, item.into_token_stream()),
                            &mut block,
                        );
                        sizes.extend(block);
                    }
                }
                _ => {}
            }
        }
        sizes.retain(|name, _| generated.contains(name));
        let (total, most) = (sizes.values().sum::<usize>(), sizes.values().max().unwrap());
        println!(
            "{example}: {} generated methods, {} lines each, {most} at most; {} handles, {} lines each",
            sizes.len(),
            total / sizes.len(),
            handles.len(),
            handles.iter().sum::<usize>() / handles.len(),
        );
        assert!(*most < 135, "{example}: {sizes:?}");
        assert!(total / sizes.len() < 60, "{example}: {sizes:?}");
    }
}

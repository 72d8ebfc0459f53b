//! Lists of strings.

use leakproof::Successors;
use leakproof::prelude::*;

use crate::ffi;

/// A list of strings, which the caller frees (struct curl_slist). It has one string at least.
#[handle(raw = ffi::curl_slist, release = ffi::curl_slist_free_all, fork_safe)]
pub(crate) struct StringList;

#[methods(unsafe, rust_only)]
impl StringList {
    #[calls(ffi::curl_slist_append, args = (null, text), fails = null)]
    fn new(text: &CStr) -> Result<Owned<StringList>>;

    /// Appends a copy of `text`. Returns the list at the same address.
    #[calls(ffi::curl_slist_append, fails = null)]
    fn append(&mut self, text: &CStr) -> Result<()>;

    #[field(self)]
    fn first(&self) -> Borrowed<Item>;

    /// Makes a list of the strings; `None` for no string.
    pub(crate) fn of(texts: &[CString]) -> Result<Option<Owned<StringList>>> {
        let Some((first, rest)) = texts.split_first() else {
            return Ok(None);
        };
        let mut list = StringList::new(first)?;
        rest.iter().try_for_each(|text| list.append(text))?;
        Ok(Some(list))
    }

    /// Returns the strings.
    pub(crate) fn texts(&self) -> Vec<String> {
        let items = Successors::new(Some(self.first()), |item| item.next());
        items.filter_map(|item| item.text()).collect()
    }
}

/// A string in a list.
#[handle(raw = ffi::curl_slist, part_of = StringList)]
struct Item;

#[methods(unsafe, rust_only)]
impl Item {
    #[field(data, utf8 = lossy)]
    fn text(&self) -> Option<String>;

    #[field(next)]
    fn next(&self) -> Option<Borrowed<Item>>;
}

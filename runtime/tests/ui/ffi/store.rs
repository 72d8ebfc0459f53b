//! An opaque C type, and items that live in it and lead back to it.

pub struct Store;
pub struct Item {
    pub mark: *mut Store,
}

pub unsafe extern "C" fn store_free(_: *mut Store) {}
pub unsafe extern "C" fn store_new() -> *mut Store {
    unimplemented!()
}
pub unsafe extern "C" fn store_first(_: *mut Store) -> *mut Item {
    unimplemented!()
}
pub unsafe extern "C" fn item_store(_: *mut Item) -> *mut Store {
    unimplemented!()
}

//! A C struct whose fields are set for the length of a call.

pub struct Thing {
    pub data: *const u8,
    pub count: u32,
}

pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
pub unsafe extern "C" fn work(_: *mut Thing) -> i32 {
    unimplemented!()
}

//! A C type whose functions return status codes, among them the release function.

pub struct Thing(pub i32);

pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn thing_new() -> *mut Thing {
    unimplemented!()
}
pub unsafe extern "C" fn thing_ref(_: *mut Thing) -> *mut Thing {
    unimplemented!()
}
pub unsafe extern "C" fn thing_open(_: i32, _: *mut *mut Thing) -> i32 {
    unimplemented!()
}
pub unsafe extern "C" fn thing_pair(_: *mut i32, _: *mut *mut Thing) -> i32 {
    unimplemented!()
}

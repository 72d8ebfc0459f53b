//! Functions that a header defines as `static inline`, and those of an archive, are called like others.

#![allow(missing_docs, reason = "a test")]

// What was compiled is linked with the library.
use hygiene as _;

mod ffi {
    #![allow(warnings, clippy::all, reason = "generated from the header")]
    include!(concat!(env!("OUT_DIR"), "/byteswap.rs"));
}

mod trunk {
    #![allow(warnings, clippy::all, reason = "generated from the header")]
    include!(concat!(env!("OUT_DIR"), "/trunk.rs"));
}

#[test]
fn a_static_inline_function_can_be_called() {
    // SAFETY: it takes a number and gives one.
    assert_eq!(unsafe { ffi::__bswap_32(0x0102_0304) }, 0x0403_0201);
}

#[test]
fn an_archive_without_pkg_config_is_linked() {
    // SAFETY: both take a number and give one.
    assert_eq!(unsafe { trunk::age(trunk::rings(40)) }, 40);
}

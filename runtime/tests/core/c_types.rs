//! Arguments whose C type the author states: behind `...`, and behind `void *`.

use std::ffi::{c_char, c_double, c_int, c_long};

use leakproof::prelude::*;

use crate::library as ffi;
use crate::library::log;
use crate::wrapper::Library;

#[handle(raw = ffi::config, release = ffi::config_free)]
struct Config;

#[methods(unsafe, rust_only)]
impl Config {
    #[calls(ffi::config_new, fails = null)]
    fn new() -> Result<Owned<Config>>;

    #[calls(ffi::config_get, args = (self, ffi::LEVEL, out as *mut c_int), fails = negative)]
    fn level(&self) -> Result<i64>;

    #[calls(ffi::config_get, args = (self, 9, out as *mut c_int), fails = negative)]
    fn missing(&self) -> Result<i32>;

    #[calls(ffi::config_get, args = (self, ffi::RATIO, out as *mut c_double))]
    fn ratio(&self) -> f64;

    #[calls(ffi::config_get, args = (self, ffi::TITLE, out as *mut *const c_char))]
    fn title(&self) -> Option<CString>;

    #[calls(ffi::config_get, args = (self, ffi::LABEL, out as *mut *mut c_char), free = ffi::label_free)]
    fn label(&self) -> Option<CString>;

    #[calls(
        ffi::config_get,
        args = (self, ffi::COPY, out as *mut *mut ffi::config),
        fails = negative,
        on_failure = null
    )]
    fn duplicate(&self) -> Result<Owned<Config>>;

    #[calls(ffi::config_set, args = (self, ffi::LEVEL, &level as *const c_int), fails = negative)]
    fn set_level(&mut self, level: i32) -> Result<()>;

    #[calls(ffi::config_set, args = (self, ffi::TITLE, title as *const c_char), fails = negative)]
    fn set_title(&mut self, title: &CStr) -> Result<()>;

    #[calls(ffi::config_set, args = (self, ffi::TITLE, title as *const c_char), fails = negative)]
    fn set_title_str(&mut self, title: &str) -> Result<()>;

    #[calls(
        ffi::snprintf,
        args = (to.ptr, to.len, c"%s, %d, %ld, %g, %s", ..., text as *const c_char, -1 as c_int, count as c_long,
            ratio as c_double, missing as *const c_char)
    )]
    fn print(
        to: &mut [u8],
        text: &CStr,
        count: i64,
        ratio: f64,
        missing: Option<&CStr>,
    ) -> Result<i32>;

    #[calls(
        ffi::sscanf,
        args = (text, c"%d %ld %lf", ..., out as *mut c_int, out as *mut c_long, out as *mut c_double),
        fails = when(|read| read != 3)
    )]
    fn scan(text: &CStr) -> Result<(i32, c_long, f64)>;
}

#[test]
fn an_out_parameter_behind_void_has_the_type_that_the_annotation_states() {
    let _library = Library::start();
    let mut config = Config::new().unwrap();
    config.set_level(-7).unwrap();
    assert_eq!(config.level().unwrap(), -7);
    assert_eq!(config.ratio(), -3.5);
    assert!(config.missing().is_err());
    config.set_title(c"a title").unwrap();
    assert_eq!(config.title().as_deref(), Some(c"a title"));
    config.set_title_str("other").unwrap();
    assert_eq!(config.title().as_deref(), Some(c"other"));
}

#[test]
fn what_c_makes_behind_void_is_released() {
    let _library = Library::start();
    let config = Config::new().unwrap();
    assert_eq!(config.label().as_deref(), Some(c"label"));
    assert_eq!(config.duplicate().unwrap().level().unwrap(), 3);
    drop(config);
    let made = ["config_new", "label", "label_free", "config_copy"];
    assert_eq!(log()[..4], made);
    assert_eq!(ffi::live(), 0);
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no variable arguments")]
fn variable_arguments_have_the_types_that_the_annotation_states() {
    let _library = Library::start();
    let mut memory = [0; 64];
    let length = Config::print(&mut memory, c"text", i64::MIN, 0.25, None).unwrap();
    let text = CStr::from_bytes_until_nul(&memory).unwrap();
    assert_eq!(text, c"text, -1, -9223372036854775808, 0.25, (null)");
    assert_eq!(usize::try_from(length).unwrap(), text.count_bytes());
    assert_eq!(
        Config::scan(c"-3 9000000000 0.5").unwrap(),
        (-3, 9_000_000_000, 0.5)
    );
    assert!(Config::scan(c"-3 x").is_err());
}

//! Passes on what PyO3 knows of the interpreter, so that `cfg(Py_GIL_DISABLED)` works here.

fn main() {
    #[cfg(feature = "python")]
    pyo3_build_config::use_pyo3_cfgs();
    println!("cargo::rustc-check-cfg=cfg(Py_GIL_DISABLED)");
}

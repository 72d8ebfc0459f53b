//! Passes on what PyO3 knows of the interpreter, so that `cfg(Py_GIL_DISABLED)` works here. Refuses interpreters and
//! ABIs that the runtime is not made for, before the compiler lists what it misses there.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "python")]
    {
        refuse_unsupported(pyo3_build_config::get());
        pyo3_build_config::use_pyo3_cfgs();
    }
    println!("cargo::rustc-check-cfg=cfg(Py_GIL_DISABLED)");
}

#[cfg(feature = "python")]
fn refuse_unsupported(config: &pyo3_build_config::InterpreterConfig) {
    use pyo3_build_config::{PythonAbiKind, PythonImplementation};

    let abi = config.target_abi();
    let implementation = abi.implementation();
    let message = if implementation != PythonImplementation::CPython {
        format!(
            "leakproof supports CPython only, and PyO3 is configured for {implementation}: name an interpreter of CPython \
             in PYO3_PYTHON"
        )
    } else if let PythonAbiKind::Stable(kind) = abi.kind() {
        format!(
            "leakproof needs the full C API of Python, and one of PyO3's features `{kind}…` limits it: remove the feature, \
             and build one wheel for each version of Python, as the page `packages` of leakproof's reference says"
        )
    } else {
        return;
    };
    println!("cargo::error={message}");
    std::process::exit(1);
}

#!/usr/bin/env python3
"""Builds the README's example package from a vendored tree, without network and without cargo's cache.

The package is that of `check_readme.py`, in a folder of its own. It depends on leakproof as on a crate from a registry:
on what `cargo package` makes of the two crates of this workspace, unpacked beside the package. Then the commands of the
section "Builds without network" of the page `packages` are run. `cargo vendor` takes the crates from cargo's cache, or
fetches those that are missing there. All later commands have an empty cache, and no network where the kernel lets
`unshare` take that away. The wheel is installed into an empty environment, and the README's test is run there.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from check_readme import DEPENDENCY, ROOT, SIGNATURE, run, write_files

TARGET = ROOT / "target" / "vendored"
CRATES = ("leakproof", "leakproof-macros")
SECTION = re.compile(r"^# Builds without network\n.*?^```console\n(?P<commands>.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = re.compile(r"^<!-- file: \S+config\.toml -->\n```toml\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
WITHOUT_NETWORK = ["unshare", "--map-root-user", "--net"]


def commands(page: str) -> list[list[str]]:
    """Returns the commands of the section, without their comments."""
    section = SECTION.search(page)
    lines = section["commands"].splitlines() if section else []
    found = [line.removeprefix("$ ").split(" #")[0].split() for line in lines]
    if not found or found[0] != ["cargo", "vendor", ">", "vendor.toml"]:
        sys.exit("packages.md: the commands of `Builds without network` begin with `cargo vendor > vendor.toml`")
    return found


def unpack_crates(folder: Path) -> None:
    """Writes the two crates to `folder` as a registry would have them."""
    packages = [f"--package={crate}" for crate in CRATES]
    command = ["cargo", "package", "--quiet", "--offline", "--allow-dirty", "--no-verify", "--target-dir", str(TARGET)]
    run(*command, *packages, cwd=ROOT, environment=dict(os.environ))
    for crate in CRATES:
        (archive,) = (TARGET / "package").glob(f"{crate}-[0-9]*.crate")
        run("tar", "-xzf", archive, cwd=folder, environment=dict(os.environ))
        (folder / archive.name.removesuffix(".crate")).rename(folder / crate)


def write_package(page: str, folder: Path) -> Path:
    """Writes the README's package, with the settings of the page. Returns its folder."""
    write_files((ROOT / "README.md").read_text(), folder)
    package = folder / "directories"
    manifest = package / "Cargo.toml"
    text, count = DEPENDENCY.subn(rf'\1"{folder / "leakproof"}"', manifest.read_text())
    settings = SETTINGS.search(page)
    if not count or not settings:
        sys.exit("README.md, packages.md: the manifest or the settings of the package are not found")
    manifest.write_text(f'{text}\n[patch.crates-io]\nleakproof-macros = {{ path = "{folder / "leakproof-macros"}" }}\n')
    (package / ".cargo").mkdir()
    signature = SIGNATURE.sub(f"cpython-3.{sys.version_info.minor}-64bit", settings["text"])
    (package / ".cargo" / "config.toml").write_text(signature)
    # The versions of the workspace, so that nothing newer is resolved.
    shutil.copy(ROOT / "Cargo.lock", package)
    return package


def vendor(package: Path, environment: dict[str, str]) -> None:
    """Vendors the dependencies, and appends what `cargo vendor` says to the settings."""
    ended = subprocess.CompletedProcess[str]([], 1)
    for fetch in (["--offline"], []):
        command = ["cargo", "vendor", *fetch]
        ended = subprocess.run(command, cwd=package, env=environment, stdout=subprocess.PIPE, text=True)
        if ended.returncode == 0:
            break
        print("some crates are not in cargo's cache", flush=True)
    else:
        sys.exit("`cargo vendor` fails")
    with (package / ".cargo" / "config.toml").open("a") as settings:
        settings.write(ended.stdout)


def isolation() -> list[str]:
    """Returns the command that takes the network from another one; empty where the kernel refuses that."""
    try:
        subprocess.run([*WITHOUT_NETWORK, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        print("the kernel takes no network away: only `--offline` and an empty cache keep cargo from fetching")
        return []
    return WITHOUT_NETWORK


def main() -> None:
    page = (ROOT / "runtime" / "src" / "reference" / "packages.md").read_text()
    isolated = isolation()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        unpack_crates(folder)
        package = write_package(page, folder)
        subprocess.run([sys.executable, "-m", "venv", package / ".venv"], check=True)
        python = package / ".venv" / "bin" / "python"
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        environment = os.environ | {
            "PATH": path,
            "PYO3_PYTHON": str(python),
            "CARGO_TARGET_DIR": str(folder / "target"),
            # What takes time and tells nothing here.
            "CARGO_PROFILE_DEV_DEBUG": "0",
            "CARGO_INCREMENTAL": "0",
        }
        _, *builds = commands(page)
        vendor(package, environment)
        environment["CARGO_HOME"] = str(folder / "empty")
        for build in builds:
            run(*isolated, *build, cwd=package, environment=environment)
        (wheel,) = (folder / "target" / "wheels").glob("*.whl")
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index"]
        run(*isolated, python, *install, wheel, cwd=package, environment=environment)
        run(*isolated, python, "test_directories.py", cwd=package, environment=environment)


if __name__ == "__main__":
    main()

#!/usr/bin/env bash
# Builds the wheel and the sdist, installs each into an empty virtual environment outside the source tree, and checks
# there: the import, the command line, the compatibility module and the type stubs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
bin=$root/.venv/bin
dist=$root/target/dist

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# No --generate-stubs: the stubs of the last build are already in the source tree.
rm -rf "$dist/packages"
"$bin/maturin" build --release --manifest-path xml-safe/Cargo.toml --interpreter "$bin/python" \
    --compatibility linux --out "$dist/packages"
"$bin/maturin" sdist --manifest-path xml-safe/Cargo.toml --out "$dist/packages"

cat >"$scratch/use.py" <<'EOF'
import xml_safe
import xml_safe.libxml2 as libxml2

with xml_safe.parse("<a><b c='1'/></a>") as document:
    found = document.xpathEval("//b")
    assert isinstance(found, list)
    node = found[0]
    assert isinstance(node, xml_safe.Node)
    value: str | None = node.get("c")
    assert value == "1"
    try:
        document.xpathEval("//b[")
    except xml_safe.XPathError as error:
        message: str = error.message
        code: int = error.code
    else:
        raise AssertionError("a bad expression was evaluated")
assert document.closed
del document, found, node

official = libxml2.parseDoc("<a/>")
assert official.getRootElement().name == "a"
official.freeDoc()
del official

assert not any(xml_safe.live_handles().values()), xml_safe.live_handles()
EOF
echo '<a><b c="1"/></a>' >"$scratch/file.xml"
cd "$scratch"

# Cargo takes the sources of an sdist for unchanged, because they have the same dates in each.
rm -rf "$dist"/build/release/.fingerprint/{leakproof,xml-safe}*

for package in "$dist"/packages/*; do
    echo "-- ${package##*/}"
    "$bin/python" -m venv --clear venv
    # A target folder of its own, which the next run reuses: sdists are built in temporary folders.
    CARGO_TARGET_DIR=$dist/build venv/bin/python -m pip install --quiet --disable-pip-version-check "$package"
    venv/bin/python use.py
    [[ $(venv/bin/python -m xml_safe file.xml //@c) == ' c="1"' ]]
    # This fails if py.typed or the stubs are missing from the package.
    "$bin/mypy" --strict --python-executable venv/bin/python --cache-dir "$dist/mypy" use.py
done

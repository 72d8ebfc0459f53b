"""`python -m xml_safe FILE XPATH`: evaluate an XPath expression on a file, and print as `xmllint --xpath` does."""

import argparse
import os
import signal
import sys
from collections.abc import Iterable, Sequence

import xml_safe

EPILOG = """\
Nodes are printed one after the other, each as XML and a newline. An element declares the namespaces that are in scope
there, also where xmllint leaves out the declarations. A string, a number or a boolean is printed on a line.

exit status:
  0  something was printed
  1  the set of nodes is empty, or the expression is wrong
  2  wrong usage, the file can't be read or isn't well-formed, or the output can't be written
"""


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse_arguments(arguments)
    try:
        document = xml_safe.parse_file(options.file)
    except OSError as error:
        return complain(2, f"{options.file}: {error.strerror or error}")
    except xml_safe.ParseError as error:
        place = [options.file, *(str(number) for number in (error.line, error.column) if number)]
        return complain(2, f"{':'.join(place)}: {error.message}")
    except (xml_safe.Error, OverflowError) as error:
        return complain(2, f"{options.file}: {error}")
    try:
        # UTF-8 in every locale, as in libxml2.
        result = document.xpathEval(os.fsencode(options.xpath).decode())
    except (xml_safe.Error, ValueError) as error:
        return complain(1, f"{options.xpath!r}: {error}")
    if result == []:
        return complain(1, "XPath set is empty")
    try:
        write(render(result))
    except OSError as error:
        return complain(2, f"standard output: {error.strerror}")
    return 0


def parse_arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m xml_safe",
        description="Evaluate an XPath expression on an XML file, and print the result as `xmllint --xpath` does.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the path of an XML file")
    parser.add_argument("xpath", metavar="XPATH", help="an XPath 1.0 expression; the document is its context node")
    return parser.parse_args(arguments)


def complain(status: int, message: str) -> int:
    if sys.stderr is not None:
        print("xml_safe:", " ".join(message.split()), file=sys.stderr)
    return status


Item = xml_safe.Node | tuple[str | None, str]


def render(result: Sequence[Item] | str | float | bool) -> Iterable[str]:
    if isinstance(result, bool):
        return ["true" if result else "false"]
    if isinstance(result, str):
        return [result]
    if isinstance(result, float):
        return [number(result)]
    return (namespace(*item) if isinstance(item, tuple) else markup(item) for item in result)


def markup(node: xml_safe.Node) -> str:
    """Return the node as libxml2 serializes it: with a space before an attribute."""
    return (" " if node.type == "attribute" else "") + node.to_bytes().decode()


def number(value: float) -> str:
    """Format with six digits, as C's `%g` does. The special values have XPath's names."""
    return f"{value:g}".replace("inf", "Infinity").replace("nan", "NaN")


def namespace(prefix: str | None, uri: str) -> str:
    """Return the declaration as libxml2 serializes it. The prefix `xml` needs none."""
    if prefix == "xml":
        return ""
    quote = "'" if '"' in uri and "'" not in uri else '"'
    value = uri.replace(quote, "&quot;")
    return f" xmlns:{prefix}={quote}{value}{quote}" if prefix else f" xmlns={quote}{value}{quote}"


def write(lines: Iterable[str]) -> None:
    if sys.stdout is None:
        raise OSError(0, "is closed")
    output = sys.stdout.buffer
    try:
        for line in lines:
            output.write(line.encode() + b"\n")
        output.flush()
    except OSError:
        # Without this, flushing the rest of the buffer would fail again, with a message, when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        raise


if __name__ == "__main__":
    # A closed pipe and Ctrl-C end the program without a traceback, as they end other filters.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(main())

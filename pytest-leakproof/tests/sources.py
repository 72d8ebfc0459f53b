"""Test files that the tests of the plugin run."""

LEAKING = """
    import fakelib

    kept = []

    def test_leaking():
        kept.append(fakelib.Document())
"""


def run(pytester, source, *arguments):
    pytester.makepyfile(source)
    return pytester.runpytest(*arguments)

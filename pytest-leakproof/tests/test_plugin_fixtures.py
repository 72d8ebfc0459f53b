"""Handles of fixtures and of setup functions: the test to which the plugin adds an error."""

import pytest
from sources import run


def test_leak_of_a_function_fixture_is_an_error_of_the_test(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        kept = []

        @pytest.fixture
        def closing():
            with fakelib.Document() as document:
                yield document

        @pytest.fixture
        def dropping():
            return fakelib.Document()

        @pytest.fixture
        def leaking():
            kept.append(fakelib.Document())

        def test_closing(closing): pass
        def test_dropping(dropping): pass
        def test_leaking(leaking): pass
        """,
    )
    result.assert_outcomes(passed=3, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_leaking*", "*in leaking*"])


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
def test_handle_of_a_wider_fixture_is_no_leak(pytester, scope):
    result = run(
        pytester,
        f"""
        import fakelib, pytest

        @pytest.fixture(scope="{scope}")
        def document():
            with fakelib.Document() as document:
                yield document

        @pytest.fixture(scope="{scope}")
        def context(document):
            return fakelib.Context()

        class TestWide:
            def test_first(self, document): pass
            def test_second(self, context): pass
            def test_third(self, request): request.getfixturevalue("document")
        """,
    )
    result.assert_outcomes(passed=3)


def test_handle_of_a_parametrized_wider_fixture_is_no_leak(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        @pytest.fixture(scope="module", params=[1, 2, 3])
        def document(request):
            documents = [fakelib.Document() for _ in range(request.param)]
            yield documents

        def test_first(document): pass
        def test_second(document): pass
        """,
    )
    result.assert_outcomes(passed=6)


def test_leak_beside_a_wider_fixture_is_found(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        kept = []

        @pytest.fixture(scope="module")
        def inner():
            return fakelib.Document()

        @pytest.fixture(scope="module")
        def document(request):
            request.getfixturevalue("inner")
            return fakelib.Document()

        def test_first(document):
            kept.append(fakelib.Document())

        def test_last(document):
            kept.append(fakelib.Document())
        """,
    )
    result.assert_outcomes(passed=2, errors=2)


def test_leak_of_a_wider_fixture_is_an_error_of_its_last_test(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        kept = []

        @pytest.fixture(scope="module")
        def document():
            kept.append(fakelib.Document())

        def test_first(document): pass
        def test_last(document): pass
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*ERROR at teardown of test_last*", "*in document*"])


def test_test_may_close_a_handle_of_a_wider_fixture(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        @pytest.fixture(scope="module")
        def documents():
            return [fakelib.Document(), fakelib.Document()]

        def test_first(documents): documents[0].close()
        def test_last(documents): pass
        """,
    )
    result.assert_outcomes(passed=2)


def test_handle_of_a_setup_function_is_no_leak(pytester):
    result = run(
        pytester,
        """
        import fakelib, unittest

        def setup_module(module):
            module.document = fakelib.Document()

        def teardown_module(module):
            del module.document

        class TestOld:
            @classmethod
            def setup_class(cls):
                cls.context = fakelib.Context()

            @classmethod
            def teardown_class(cls):
                del cls.context

            def setup_method(self):
                self.document = fakelib.Document()

            def test_first(self): pass
            def test_second(self): pass

        class TestOlder(unittest.TestCase):
            @classmethod
            def setUpClass(cls):
                cls.context = fakelib.Context()

            @classmethod
            def tearDownClass(cls):
                del cls.context

            def setUp(self):
                self.document = fakelib.Document()

            def test_first(self): pass
            def test_second(self): pass
        """,
    )
    result.assert_outcomes(passed=4)

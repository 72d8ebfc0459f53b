"""Failing and skipped tests, the marker, the option and the setting of the plugin."""

import pytest
from sources import LEAKING, run


def test_failed_test_gets_no_second_error(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest, unittest

        def test_failing():
            document = fakelib.Document()
            assert document is None

        @pytest.mark.xfail
        def test_expected_to_fail():
            document = fakelib.Document()
            assert document is None

        @pytest.fixture
        def failing():
            document = fakelib.Document()
            raise ValueError

        def test_failing_to_set_up(failing): pass

        @pytest.fixture
        def failing_late():
            document = fakelib.Document()
            yield
            raise ValueError

        def test_failing_to_tear_down(failing_late): pass

        class TestOlder(unittest.TestCase):
            def test_failing(self):
                document = fakelib.Document()
                self.fail()

        def test_later(): pass
        """,
    )
    result.assert_outcomes(passed=2, failed=2, xfailed=1, errors=2)


def test_leak_of_a_failed_test_is_not_charged_to_the_next(pytester):
    result = run(
        pytester,
        """
        import fakelib

        kept = []

        def test_failing():
            kept.append(fakelib.Document())
            assert False

        def test_later(): pass

        def test_leaking():
            kept.append(fakelib.Document())
        """,
    )
    result.assert_outcomes(passed=2, failed=1, errors=1)


def test_skipped_test_is_checked(pytester):
    # In a process of its own: within one process, the pytester keeps every traceback.
    pytester.makepyfile(
        """
        import fakelib, pytest

        kept = []

        def test_dropping():
            document = fakelib.Document()
            pytest.skip()

        def test_leaking():
            kept.append(fakelib.Document())
            pytest.skip()
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(skipped=2, errors=1)


@pytest.mark.parametrize(
    ("limit", "fails"),
    [
        ("0", True),
        ("2", True),
        ("3", False),
        ("", False),
        ("{'Document': 2, 'Context': 1}", False),
        ("{'fakelib.Document': 2, 'fakelib.Context': 1}", False),
        ("{'Document': 3}", True),
        ("{'Document': 1, 'Context': 9}", True),
    ],
)
def test_marker_limits_leaked_handles(pytester, limit, fails):
    result = run(
        pytester,
        f"""
        import fakelib, pytest

        kept = []

        @pytest.mark.allow_leaked_handles({limit})
        def test_leaking():
            kept.extend([fakelib.Document(), fakelib.Document(), fakelib.Context()])
        """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=1, errors=int(fails))


@pytest.mark.parametrize("arguments", ["True", "1, 2", "'Document'", "limit=1"])
def test_marker_with_wrong_arguments_is_an_error(pytester, arguments):
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.allow_leaked_handles({arguments})
        def test(): pass
        """,
    )
    result.assert_outcomes(errors=1)


def test_option_switches_the_check_off(pytester):
    run(pytester, LEAKING, "--no-leakproof").assert_outcomes(passed=1)


@pytest.mark.parametrize(("value", "errors"), [("true", 1), ("false", 0)])
def test_setting_switches_the_check_on_and_off(pytester, value, errors):
    pytester.makeini(f"[pytest]\nleakproof = {value}")
    run(pytester, LEAKING).assert_outcomes(passed=1, errors=errors)

"""The plugin: what fails a test, what doesn't, and what it says."""

import pytest

LEAKING = """
    import fakelib

    kept = []

    def test_leaking():
        kept.append(fakelib.Document())
"""


def run(pytester, source, *arguments):
    pytester.makepyfile(source)
    return pytester.runpytest(*arguments)


def test_a_clean_test_passes(pytester):
    result = run(
        pytester,
        """
        import fakelib

        def test_closing():
            fakelib.Document().close()

        def test_dropping():
            fakelib.Document()

        def test_in_a_cycle():
            cycle = [fakelib.Document()]
            cycle.append(cycle)
        """,
    )
    result.assert_outcomes(passed=3)


def test_a_leak_fails_the_test(pytester):
    result = run(pytester, LEAKING)
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_it_says_what_leaked_and_where(pytester):
    result = run(
        pytester,
        """
        import fakelib

        kept = []

        def make():
            return fakelib.Document()

        def test_leaking():
            kept.extend([make() for _ in range(3)])
            kept.append(fakelib.Context())
        """,
    )
    result.stdout.fnmatch_lines(
        [
            "*ERROR at teardown of test_leaking*",
            "native handles are left behind:",
            "  fakelib.Context: 1 more than before",
            "    made here:",
            "*line 10, in test_leaking*",
            "*kept.append(fakelib.Context())*",
            "  fakelib.Document: 3 more than before",
            "    3 made here:",
            "*line 9, in test_leaking*",
            "*line 6, in make*",
            "*allow=4*",
        ]
    )
    assert "_pytest" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_only_the_handles_of_this_test_are_told(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        kept = [fakelib.Document()]

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            with fakelib.Document() as document:
                yield document

        @pytest.mark.leakproof(allow=1)
        def test_first():
            kept.append(fakelib.Document())

        def test_second():
            kept.append(fakelib.Document())
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    # The summary at the end repeats the message, whole where CI is set.
    output = result.stdout.str().partition("short test summary")[0]
    assert "fakelib.Document: 1 more than before" in output
    assert output.count("made here") == 1
    assert "in test_second" in output
    assert "in test_first" not in output and "in wide" not in output


def test_a_module_without_tracing_is_checked_too(pytester):
    result = run(
        pytester,
        """
        import fakelib

        for name in ("trace", "tracing", "live_report"):
            delattr(fakelib.__leakproof__, name)
        kept = []

        def test_leaking():
            kept.append(fakelib.Document())
        """,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*Document: 1 more than before", "*where is not known*"])


def test_a_module_imported_by_the_test_is_checked(pytester):
    result = run(
        pytester,
        """
        import sys

        def test_leaking():
            import fakelib
            fakelib.kept = fakelib.Document()
        """,
    )
    result.assert_outcomes(passed=1, errors=1)


def test_without_leakproof_modules_nothing_is_done(pytester):
    result = run(
        pytester,
        """
        import gc

        collected = []
        gc.callbacks.append(lambda phase, info: collected.append(info) if info["generation"] == 2 else None)
        gc.disable()

        def test_one():
            pass

        def test_two():
            assert not collected
        """,
    )
    result.assert_outcomes(passed=2)


def test_one_registry_of_several_modules_counts_once(pytester):
    result = run(
        pytester,
        """
        import sys, types
        import fakelib

        again = types.ModuleType("again")
        again.__leakproof__ = fakelib.__leakproof__
        sys.modules["again"] = again

        @__import__("pytest").mark.leakproof(allow=1)
        def test_leaking():
            test_leaking.kept = fakelib.Document()
        """,
    )
    result.assert_outcomes(passed=1)


def test_released_more_often_than_made(pytester):
    result = run(
        pytester,
        """
        import fakelib

        def test_releasing():
            fakelib.Ledger.counts["Document"] -= 1

        def test_later():
            pass
        """,
    )
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*released more often than made: fakelib.Document"])


# Fixtures


def test_fixtures_of_the_test_are_its_own(pytester):
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
def test_wider_fixtures_are_not_the_tests(pytester, scope):
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


def test_wider_fixtures_with_parameters(pytester):
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


def test_a_wider_fixture_does_not_hide_a_leak(pytester):
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


def test_a_wider_fixture_that_leaks_is_told_at_its_end(pytester):
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


def test_a_test_may_close_what_a_wider_fixture_made(pytester):
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


def test_what_the_old_setup_functions_make(pytester):
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


# Tests that fail, and tests that are let off


def test_a_failing_test_fails_once(pytester):
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


def test_what_a_failing_test_left_is_not_the_next_ones(pytester):
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


def test_a_skipped_test_is_checked(pytester):
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
    ("allow", "fails"),
    [
        ("0", True),
        ("2", True),
        ("3", False),
        ("True", False),
        ("False", True),
        ("{'Document': 2, 'Context': 1}", False),
        ("{'fakelib.Document': 2, 'fakelib.Context': 1}", False),
        ("{'Document': 3}", True),
        ("{'Document': 1, 'Context': 9}", True),
    ],
)
def test_the_marker(pytester, allow, fails):
    result = run(
        pytester,
        f"""
        import fakelib, pytest

        kept = []

        @pytest.mark.leakproof(allow={allow})
        def test_leaking():
            kept.extend([fakelib.Document(), fakelib.Document(), fakelib.Context()])
        """,
        "--strict-markers",
    )
    result.assert_outcomes(passed=1, errors=int(fails))


@pytest.mark.parametrize("arguments", ["", "1", "allow='Document'", "allow=1, more=2"])
def test_a_marker_that_says_nothing(pytester, arguments):
    result = run(
        pytester,
        f"""
        import pytest

        @pytest.mark.leakproof({arguments})
        def test(): pass
        """,
    )
    result.assert_outcomes(errors=1)


def test_the_option(pytester):
    run(pytester, LEAKING, "--no-leakproof").assert_outcomes(passed=1)


@pytest.mark.parametrize(("value", "errors"), [("true", 1), ("false", 0)])
def test_the_setting(pytester, value, errors):
    pytester.makeini(f"[pytest]\nleakproof = {value}")
    run(pytester, LEAKING).assert_outcomes(passed=1, errors=errors)


# Tracing


@pytest.mark.parametrize("before", [False, True])
def test_tracing_is_on_and_then_as_it_was(pytester, before):
    pytester.makeconftest(
        f"""
        import fakelib

        fakelib.__leakproof__.trace({before})

        def pytest_unconfigure(config):
            import atexit
            print("tracing afterwards:", fakelib.__leakproof__.tracing())
        """
    )
    result = run(
        pytester,
        """
        import fakelib

        def test_tracing():
            assert fakelib.__leakproof__.tracing()
        """,
    )
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines([f"tracing afterwards: {before}"])


# The fixture


def test_counting(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            with fakelib.Context():
                yield

        def test_live(leakproof):
            assert leakproof.live() == {"fakelib.Document": 0, "fakelib.Context": 1}

        def test_delta(leakproof):
            assert leakproof.delta() == {}
            document = fakelib.Document()
            assert leakproof.delta() == {"fakelib.Document": 1}
            cycle = [document]
            cycle.append(cycle)
            del document, cycle
            assert leakproof.delta() == {}

        def test_unchanged(leakproof):
            document = fakelib.Document()
            with leakproof.unchanged():
                fakelib.Document()
            with pytest.raises(pytest.fail.Exception, match="fakelib.Document [+]1"):
                with leakproof.unchanged():
                    another = fakelib.Document()
            with pytest.raises(pytest.fail.Exception, match="fakelib.Document -1"):
                with leakproof.unchanged():
                    document.close()
            with pytest.raises(KeyError):
                with leakproof.unchanged():
                    more = fakelib.Document()
                    raise KeyError
        """,
    )
    result.assert_outcomes(passed=3)


def test_counting_without_checking(pytester):
    result = run(
        pytester,
        """
        import fakelib

        def test_delta(leakproof):
            test_delta.kept = fakelib.Document()
            assert leakproof.delta() == {"fakelib.Document": 1}
        """,
        "--no-leakproof",
    )
    result.assert_outcomes(passed=1)


def test_counting_nothing(pytester):
    result = run(
        pytester,
        """
        def test_nothing(leakproof):
            with leakproof.unchanged():
                assert leakproof.live() == leakproof.delta() == {}
        """,
    )
    result.assert_outcomes(passed=1)

"""The plugin: the tests to which it adds an error, and its messages."""

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


def test_test_without_a_leak_passes(pytester):
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


def test_leak_is_an_error_of_the_test(pytester):
    result = run(pytester, LEAKING)
    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_message_names_the_types_and_the_stacks(pytester):
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
            "native handles were leaked:",
            "  fakelib.Context: 1 more than before",
            "    created here:",
            "*line 10, in test_leaking*",
            "*kept.append(fakelib.Context())*",
            "  fakelib.Document: 3 more than before",
            "    3 created here:",
            "*line 9, in test_leaking*",
            "*line 6, in make*",
            "*allow_leaked_handles(4)*",
        ]
    )
    assert "_pytest" not in result.stdout.str()
    assert "Traceback" not in result.stdout.str()


def test_message_names_only_the_handles_of_this_test(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        kept = [fakelib.Document()]

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            with fakelib.Document() as document:
                yield document

        @pytest.mark.allow_leaked_handles(1)
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
    assert output.count("created here") == 1
    assert "in test_second" in output
    assert "in test_first" not in output and "in wide" not in output


def test_module_without_tracing_is_checked(pytester):
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
    result.stdout.fnmatch_lines(["*Document: 1 more than before", "*created while tracing was off*"])


def test_module_imported_by_the_test_is_checked(pytester):
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


def test_without_leakproof_modules_no_garbage_is_collected(pytester):
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


def test_registry_exposed_by_two_modules_counts_once(pytester):
    result = run(
        pytester,
        """
        import sys, types
        import fakelib

        again = types.ModuleType("again")
        again.__leakproof__ = fakelib.__leakproof__
        sys.modules["again"] = again

        @__import__("pytest").mark.allow_leaked_handles(1)
        def test_leaking():
            test_leaking.kept = fakelib.Document()
        """,
    )
    result.assert_outcomes(passed=1)


def test_release_without_a_handle_is_an_error(pytester):
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
    result.stdout.fnmatch_lines(["*released more often than created: fakelib.Document"])


# Fixtures


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


# Failing and skipped tests, and the marker


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


# Tracing


@pytest.mark.parametrize("before", [False, True])
def test_tracing_is_on_during_the_run_and_then_restored(pytester, before):
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


def test_counter_counts_handles(pytester):
    result = run(
        pytester,
        """
        import fakelib, pytest

        @pytest.fixture(scope="module", autouse=True)
        def wide():
            with fakelib.Context():
                yield

        def test_live(handle_counter):
            assert handle_counter.live() == {"fakelib.Document": 0, "fakelib.Context": 1}

        def test_delta(handle_counter):
            assert handle_counter.delta() == {}
            document = fakelib.Document()
            assert handle_counter.delta() == {"fakelib.Document": 1}
            cycle = [document]
            cycle.append(cycle)
            del document, cycle
            assert handle_counter.delta() == {}

        def test_unchanged(handle_counter):
            document = fakelib.Document()
            with handle_counter.unchanged():
                fakelib.Document()
            with pytest.raises(pytest.fail.Exception, match="fakelib.Document [+]1"):
                with handle_counter.unchanged():
                    another = fakelib.Document()
            with pytest.raises(pytest.fail.Exception, match="fakelib.Document -1"):
                with handle_counter.unchanged():
                    document.close()
            with pytest.raises(KeyError):
                with handle_counter.unchanged():
                    more = fakelib.Document()
                    raise KeyError
        """,
    )
    result.assert_outcomes(passed=3)


def test_counter_works_without_the_check(pytester):
    result = run(
        pytester,
        """
        import fakelib

        def test_delta(handle_counter):
            test_delta.kept = fakelib.Document()
            assert handle_counter.delta() == {"fakelib.Document": 1}
        """,
        "--no-leakproof",
    )
    result.assert_outcomes(passed=1)


def test_counter_without_leakproof_modules_counts_nothing(pytester):
    result = run(
        pytester,
        """
        def test_nothing(handle_counter):
            with handle_counter.unchanged():
                assert handle_counter.live() == handle_counter.delta() == {}
        """,
    )
    result.assert_outcomes(passed=1)

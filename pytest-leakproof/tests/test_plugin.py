"""The plugin: the tests to which it adds an error, and its messages."""

import pytest
from sources import LEAKING, run


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

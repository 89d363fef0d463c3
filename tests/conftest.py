"""For every folder of tests: a skip is a failure. What a test needs is in its packages.txt, and a test that
can't run says so by failing."""
import pytest


def failed(report):
    if report.skipped and not hasattr(report, "wasxfail"):
        where, line, why = report.longrepr
        report.outcome, report.longrepr = "failed", f"{where}:{line}: {why}: a skip tests nothing"
    return report


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport():
    failed((yield).get_result())


@pytest.hookimpl(hookwrapper=True)
def pytest_make_collect_report():
    failed((yield).get_result())

"""For every pytest here: with HPC_TEST_NO_SKIP, which `./dev test` sets, a test that was skipped is one that failed."""
import os


def pytest_terminal_summary(terminalreporter):
    if os.environ.get("HPC_TEST_NO_SKIP") and terminalreporter.stats.get("skipped"):
        terminalreporter.write_line("a skipped test counts as failed: `./dev setup` installs what tests need", red=True)


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("HPC_TEST_NO_SKIP") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = exitstatus or 1

"""Strict stand-ins for services a test cannot reach, and real peers a test starts and stops."""

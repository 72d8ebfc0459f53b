"""Finds native handles that tests leak, and errors that a package made with leakproof handles wrongly.

`plugin` is the pytest plugin. `sweep` is the fault-injection sweep. `registry` finds the leakproof
modules of the process.
"""

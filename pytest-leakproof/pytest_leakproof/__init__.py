"""Finds what tests leave behind in packages made with leakproof.

`plugin` is the pytest plugin, `walk` goes along every error path of a package, and `modules` finds the packages.
"""

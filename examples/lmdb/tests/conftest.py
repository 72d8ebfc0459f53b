"""The environment and the database of the tests."""

import sys

import pytest
from lmdb_safe import (
    Environment,
)


@pytest.fixture
def env(tmp_path):
    with Environment(tmp_path, max_databases=4) as env:
        yield env


@pytest.fixture
def db(env):
    db = env.database("d", create=True)
    with env.begin(write=True) as txn:
        for number in range(10):
            txn.put(db, b"k%d" % number, b"v%d" % number)
        txn.commit()
    return db


@pytest.fixture
def reported():
    """The exceptions that sys.unraisablehook gets."""
    told = []
    before, sys.unraisablehook = sys.unraisablehook, lambda what: told.append(what.exc_value)
    yield told
    sys.unraisablehook = before

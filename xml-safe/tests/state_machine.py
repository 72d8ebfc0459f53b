"""Hypothesis's state machine of a model of `random_operations`: it chooses the operations, and shortens what goes wrong."""

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from random_operations import Choice

STEPS_OF_AN_EXAMPLE = 50


def rule_of(name, slots):
    @rule(a=slots, b=slots, n=st.integers(0, 3600), elsewhere=st.booleans())
    def step(self, a, b, n, elsewhere):
        self.world.apply(name, Choice(a, b, n), elsewhere)

    step.__name__ = name
    return step


def machine_of(model, steps):
    """The test case that makes about so many steps."""
    slots = st.integers(0, model.SLOTS - 1)

    def __init__(self):
        RuleBasedStateMachine.__init__(self)
        self.world = model.World()

    def teardown(self):
        self.world.close()

    rules = {name: rule_of(name, slots) for name in model.OPERATIONS}
    members = {"__init__": __init__, "teardown": teardown, **rules}
    machine = type(f"Machine_of_{model.__name__}", (RuleBasedStateMachine,), members)
    machine.TestCase.settings = settings(
        max_examples=max(1, steps // STEPS_OF_AN_EXAMPLE),
        stateful_step_count=STEPS_OF_AN_EXAMPLE,
        suppress_health_check=list(HealthCheck),
        deadline=None,
    )
    return machine.TestCase

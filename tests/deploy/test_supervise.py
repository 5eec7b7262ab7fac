"""A process that keeps dying comes back, after waits that grow up to a minute."""

import configparser

from supervisor.states import ProcessStates
from supervisor.tests.base import DummyOptions, DummyPConfig

from deploy.supervise import LONGEST_WAIT, PatientSubprocess
from tests.processes import ROOT


def dying_process(failures: int) -> PatientSubprocess:
    """A process that has ended too soon so many times in a row."""
    config = DummyPConfig(DummyOptions(), "beat", "/bin/false", startretries=LONGEST_WAIT)
    process = PatientSubprocess(config)
    process.state, process.backoff, process.delay = ProcessStates.BACKOFF, failures, 0
    process.started = []
    process.spawn = lambda: process.started.append(True)
    return process


def test_it_is_started_again_after_any_number_of_failures():
    for failures in (1, 20, 61, 5000):
        process = dying_process(failures)
        process.transition()
        assert process.started
        assert process.state == ProcessStates.BACKOFF


def test_the_wait_does_not_grow_past_a_minute():
    process = dying_process(5000)
    process.transition()
    assert process.backoff + 1 == LONGEST_WAIT  # what supervisord waits, in seconds


def test_every_program_has_as_many_tries_as_the_wait_can_grow():
    parser = configparser.RawConfigParser()
    parser.read(ROOT / "deploy" / "supervisord.conf")
    programs = [section for section in parser.sections() if section.startswith("program:")]
    assert len(programs) >= 7
    for program in programs:
        assert parser.getint(program, "startretries") >= LONGEST_WAIT

"""Work that takes long says that it goes on."""

import io
import time

import pytest

from command_line import progress
from command_line.heartbeat import Heartbeat


def wait_for(stream, text):
    end = time.monotonic() + 10
    while text not in stream.getvalue():
        assert time.monotonic() < end, stream.getvalue()
        time.sleep(0.001)


def test_it_says_at_once_what_is_done_and_later_for_how_long():
    stream = io.StringIO()
    with Heartbeat("counting", interval=0.01, stream=stream) as beat:
        assert stream.getvalue().startswith("counting\n")
        wait_for(stream, "counting: 0:00:00 so far\n")
        beat.reached("3 of 7")
        wait_for(stream, "counting: 3 of 7, 0:00:00 so far\n")


def test_it_ends_with_what_it_is_about_even_if_that_fails():
    stream = io.StringIO()
    with pytest.raises(ZeroDivisionError):
        with Heartbeat("dividing", interval=0.01, stream=stream):
            raise ZeroDivisionError
    said = stream.getvalue()
    time.sleep(0.05)
    assert stream.getvalue() == said == "dividing\n"


class Gone(io.StringIO):
    """A stream whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError


def test_work_goes_on_though_nobody_reads():
    with Heartbeat("counting", interval=0.001, stream=Gone()) as beat:
        time.sleep(0.05)
        beat.reached("3 of 7")
    progress.say("counted", Gone())

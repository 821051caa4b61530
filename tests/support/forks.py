"""Forks a process that has imported what programs need, once for each of them.

A framework takes from five to fifteen seconds to import, and a fork none. It
starts no thread before its first computation, so that a fork of a process that
has only imported it is as good as a new one.

Usage: python -m tests.support.forks MODULE...

This imports the modules and reads orders, each a line of JSON: `["start",
ARGUMENTS, FILES]` with the arguments that Python takes and files for the
output and the errors, answered by the process id, and `["poll", ID]` and
`["wait", ID]`, answered by the return code, or by `null` while it runs.
"""

import importlib
import json
import os
import pathlib
import runpy
import signal
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]


class Forks:
    """Starts programs where modules are imported already.

    Args:
        *modules: Names of the modules.
        **environment: Variables of the environment besides those of this
            process.
    """

    def __init__(self, *modules, **environment):
        self._errors = tempfile.TemporaryFile("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forks", *modules],
            cwd=ROOT,
            # torch may not look for a GPU in a process that is to fork.
            env={
                **os.environ,
                "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
                **environment,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )

    def start(self, *arguments):
        """Starts `python *arguments` at the repository's root."""
        return Fork(self._ask, list(map(str, arguments)))

    def run(self, *arguments):
        """Returns what has ended, as `subprocess.run` does."""
        fork = self.start(*arguments)
        output, errors = fork.communicate()
        return subprocess.CompletedProcess(
            arguments, fork.returncode, output, errors
        )

    def _ask(self, *order):
        print(json.dumps(order), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._errors.seek(0)
            raise RuntimeError(self._errors.read()[-4000:])
        return json.loads(answer)


class Fork:
    """A program that was started, with methods of `subprocess.Popen`."""

    def __init__(self, ask, arguments):
        self._ask = ask
        self._files = [tempfile.NamedTemporaryFile("r") for _ in range(2)]
        names = [file.name for file in self._files]
        self.pid = ask("start", arguments, names)
        self.returncode = None

    def poll(self):
        if self.returncode is None:
            self.returncode = self._ask("poll", self.pid)
        return self.returncode

    def kill(self):
        if self.poll() is None:
            os.kill(self.pid, signal.SIGKILL)

    def communicate(self):
        if self.returncode is None:
            self.returncode = self._ask("wait", self.pid)
        return [file.read() for file in self._files]


def _main(modules):
    for module in modules:
        importlib.import_module(module)
    for line in sys.stdin:
        action, subject, *files = json.loads(line)
        if action == "start":
            answer = os.fork()
            if answer == 0:
                # Its end is that of this process, with all that Python does.
                return _become(subject, *files[0])
        else:
            flags = os.WNOHANG if action == "poll" else 0
            pid, status = os.waitpid(subject, flags)
            answer = os.waitstatus_to_exitcode(status) if pid else None
        print(json.dumps(answer), flush=True)


def _become(arguments, output, errors):
    for descriptor, path in ((1, output), (2, errors)):
        opened = os.open(path, os.O_WRONLY)
        os.dup2(opened, descriptor)
        os.close(opened)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
    else:
        sys.argv = arguments
        sys.path[0] = str(pathlib.Path(arguments[0]).parent)
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    _main(sys.argv[1:])

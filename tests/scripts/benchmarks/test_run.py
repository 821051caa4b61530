"""The command line: what is planned, refused, done and done before."""

import json
from dataclasses import asdict

import pytest

from benchmarks import jobs
from benchmarks import run
from benchmarks.modes import MODES
from command_line import InputError


def planned(*options):
    return jobs.planned(run.parser().parse_args(["--out", "out", *options]))


def places(found):
    return [(job.mode, job.shapes) for job in found]


def test_all_modes_are_measured_on_their_shapes():
    found = planned()
    assert places(found) == [(m, s) for m in MODES for s in MODES[m].shapes]
    assert {job.rounds for job in found} == {30}
    assert ("xla", "bert-base") not in places(found)


@pytest.mark.parametrize(
    ("modes", "shapes", "expected"),
    [
        (["graph", "fit"], "one-large", [("graph", "one-large")]),
        (["xla"], "bert-base", [("xla", "bert-base")]),
    ],
    ids=["not where it cannot be trained", "though it takes long"],
)
def test_a_mode_takes_the_shapes_that_are_asked_for(modes, shapes, expected):
    found = planned("--modes", *modes, "--shapes", shapes)
    assert places(found) == expected


def test_a_backend_has_its_modes():
    assert {job.mode for job in planned("--backend", "jax")} == {
        mode for mode in MODES if MODES[mode].backend == "jax"
    }


def test_the_study_of_scaling_is_of_a_few_optimizers_and_many_sizes():
    found = planned("--study", "scaling")
    assert {job.mode for job in found} == {"graph"}
    names = [job.shapes for job in found]
    assert "parameters:1e9" in names and "variables:3000" in names
    assert all(len(job.contestants) == 4 for job in found)


def test_memory_is_measured_for_each_optimizer_by_itself():
    options = ("--modes", "fit", "--shapes", "tiny-test")
    found = planned(*options, "--optimizers", "acclip", "--memory")
    assert [(job.work, tuple(job.contestants)) for job in found] == [
        ("measure", ("none", "adam", "acclip")),
        ("memory", ("adam",)),
        ("memory", ("acclip",)),
    ]
    assert len({job.name for job in found}) == len(found)


def test_what_is_not_installed_is_left_out_or_refused(monkeypatch):
    monkeypatch.setattr(
        jobs.importlib.util,
        "find_spec",
        lambda name: None if name == "tensorflow" else object(),
    )
    found = {job.mode for job in planned()}
    on_torch = {"torch", "torch-uncompiled"}
    assert found == {"jax", "jax-device", "jax-fit"} | on_torch
    (job,) = planned("--study", "scaling", "--shapes", "variables:1")
    assert job.mode == "jax"
    with pytest.raises(InputError, match="graph needs tensorflow; install"):
        planned("--modes", "graph")


@pytest.mark.parametrize(
    ("options", "start", "end"),
    [
        (["--modes", "graf"], "`--modes` must be of eager, ", "=graf"),
        (["--shapes", "bert"], "`--shapes` must be of tiny-", "=bert"),
        (["--optimizers", "x"], "`--optimizers` must be of none, ", "=x"),
        (["--rounds", "1"], "argument --rounds: must be an integer", ": 1"),
        (
            ["--modes", "jax", "--backend", "tensorflow"],
            "`--modes` must be of the `--backend`.",
            "--modes=jax, --backend=tensorflow",
        ),
        (
            ["--modes", "fit", "--shapes", "many-small"],
            "`--modes` must be able to step the optimizers and to take",
            "Received: --modes=fit",
        ),
        (
            ["--modes", "graph", "--optimizers", "optax_adam"],
            "`--modes` must be able to step the optimizers and to take",
            "Received: --modes=graph",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_an_option_must_fit(complain, tmp_path, options, start, end):
    message = complain(run, "--out", tmp_path / "out", *options)
    assert message.startswith(start)
    assert message.endswith(end)
    assert not (tmp_path / "out").exists()


JOBS = planned("--modes", "graph", "--shapes", "bert-tiny", "many-small")


@pytest.fixture
def processes(monkeypatch):
    """The names of the jobs that a process was started for."""
    started = []

    def process(job, path):
        started.append(job.name)
        if job.name in process.fails:
            return 1
        path.parent.mkdir(exist_ok=True)
        skipped = {"skipped": "no memory"} if job.name in process.skips else {}
        path.write_text(json.dumps({"job": asdict(job), **skipped}), "utf-8")
        return 0

    process.started, process.fails, process.skips = started, set(), set()
    monkeypatch.setattr(jobs, "_process", process)
    return process


def test_what_is_measured_already_is_not_measured_again(processes, tmp_path):
    lines = []
    jobs.run(JOBS[:1], tmp_path, lines.append)
    before = JOBS[0].path(tmp_path).stat()
    jobs.run(JOBS, tmp_path, lines.append)
    assert processes.started == ["graph-bert-tiny", "graph-many-small"]
    assert lines[1:] == [
        "1/2 graph-bert-tiny: done before",
        "2/2 graph-many-small",
    ]
    after = JOBS[0].path(tmp_path).stat()
    assert after.st_mtime_ns == before.st_mtime_ns
    assert len(jobs.results(tmp_path)) == 2


def test_what_failed_or_was_skipped_is_tried_again(processes, tmp_path):
    processes.fails, processes.skips = {JOBS[0].name}, {JOBS[1].name}
    lines = []
    assert jobs.run(JOBS, tmp_path, lines.append) == ["graph-bert-tiny"]
    assert "  failed with status 1" in lines
    assert "  skipped: no memory" in lines
    processes.fails, processes.skips = set(), set()
    assert jobs.run(JOBS, tmp_path, lines.append) == []
    assert processes.started == [job.name for job in JOBS] * 2


def test_results_of_other_arguments_are_refused_and_kept(processes, tmp_path):
    jobs.run(JOBS[1:], tmp_path, print)
    path = JOBS[1].path(tmp_path)
    before = path.read_bytes()
    options = ["--modes", "graph", "--shapes", "many-small", "--rounds", "5"]
    (other,) = planned(*options)
    with pytest.raises(InputError) as error:
        jobs.run([JOBS[0], other], tmp_path, print)
    assert str(error.value) == (
        "`--out` must be new or hold results of the same arguments; "
        "jobs/graph-many-small.json was measured with rounds=30 instead of 5. "
        f"Received: --out={tmp_path}"
    )
    assert path.read_bytes() == before
    assert processes.started == ["graph-many-small"]


@pytest.mark.parametrize("text", ["", "{", "null", "[3]", "{}", '{"job": {}}'])
def test_a_damaged_result_is_refused(processes, tmp_path, text):
    jobs.run(JOBS[:1], tmp_path, print)
    path = JOBS[0].path(tmp_path)
    path.write_text(text)
    with pytest.raises(InputError, match="Received: --out="):
        jobs.run(JOBS[:1], tmp_path, print)
    assert path.read_text() == text

"""Measured times become ratios, tables, targets and plots."""

import json
import shutil
from pathlib import Path

import pytest

from benchmarks import machine
from benchmarks import report
from benchmarks import run
from benchmarks import summary
from benchmarks.contestants import OURS
from benchmarks.report import Target
from tests.support.benchmark_results import MACHINE
from tests.support.benchmark_results import memory
from tests.support.benchmark_results import result
from tests.support.tiny import call

RESULTS = Path(run.__file__).parent / "results"

ADAM = [0.010, 0.020, 0.030]
GRAPH = {
    "adam": ADAM,
    "adamw": [0.020, 0.040, 0.060],
    "acclip": [0.005, 0.010, 0.015],
    "acclip_threshold_decay": [0.001, 0.010, 0.009],
}


def rows(table):
    """Returns the cells of a Markdown table by the first one of each row."""
    lines = [line[2:-2].split(" | ") for line in table.splitlines()]
    head, _, *body = lines
    return {
        cells[0]: dict(zip(head[1:], cells[1:], strict=True)) for cells in body
    }


def test_a_ratio_is_to_the_other_in_the_same_group():
    one = result("graph", "bert-base", GRAPH)
    slower = {"adam": [0.1] * 3, "lion": [0.05] * 3}
    one["groups"].append({"copy": [0.001] * 3, **slower})
    one["contestants"]["lion"] = one["contestants"]["adam"]
    found = summary.merged([one])["results"][0]["optimizers"]
    assert found["acclip"]["ratios"]["adam"][1] == pytest.approx(0.5)
    assert found["lion"]["ratios"]["adam"][1] == pytest.approx(0.5)
    decay = found["acclip_threshold_decay"]
    # Of 1/20, 10/40 and 9/60.
    assert decay["ratios"]["adamw"] == pytest.approx([0.1, 0.15, 0.2])
    assert "adam" not in found["adam"]["ratios"]


def test_the_share_of_the_floor_is_that_of_a_copy_of_as_many_bytes():
    found = summary.merged([result("graph", "bert-base", GRAPH)])
    (only,) = found["results"]
    assert only["copy_bytes_per_second"] == pytest.approx(12e6)
    # 28,000 bytes take 28/12 ms at that speed, and Adam takes 20 ms.
    share = only["optimizers"]["adam"]["share_of_floor"]
    assert share == pytest.approx(28 / 12 / 20)


def test_the_update_of_a_training_step_is_what_it_adds_to_one_without():
    times = {"none": [0.1, 0.2], "adam": [0.11, 0.23]}
    (only,) = summary.merged([result("fit", "bert-tiny", times)])["results"]
    update = only["optimizers"]["adam"]["update_milliseconds"]
    assert update == pytest.approx([15, 20, 25])
    assert "update_milliseconds" not in only["optimizers"]["none"]
    assert "share_of_floor" not in only["optimizers"]["adam"]
    cells = rows(report.table(only))
    assert cells["keras `Adam()`"]["of it the update, ms"].startswith("20 [")
    assert cells["no update"]["of it the update, ms"] == ""


def test_a_table_has_a_row_of_cells_for_every_optimizer():
    results = [
        result("graph", "bert-base", GRAPH),
        memory("graph", "bert-base", "acclip", 64_000_000),
        memory("graph", "bert-tiny", "adam", 1_000_000),
    ]
    (only,) = summary.merged(results)["results"]
    cells = rows(report.table(only))
    assert len(cells) == len(GRAPH)
    decay = "`ACClip(step_scaling='threshold', weight_decay=0.01)`"
    assert cells[decay]["/ its counterpart"] == (
        "0.15 [0.1, 0.2] / keras `AdamW(weight_decay=0.01)`"
    )
    assert cells["`ACClip()`"] == {
        "ms": "10",
        "/ keras `Adam()`": "0.5 [0.5, 0.5]",
        "/ its counterpart": "",
        "first call, s": "2.06",
        "state, MB": "0.012",
        "share of the floor": "30%",
        "peak, MB": "64",
    }
    assert cells["keras `Adam()`"]["peak, MB"] == ""


def test_a_page_names_the_machine_once_and_all_that_was_measured():
    results = [
        result("graph", "bert-base", GRAPH),
        result("eager", "many-small", {"adam": ADAM}),
    ]
    skipped = {**results[0], "job": {**results[0]["job"], "mode": "xla"}}
    results.append({**skipped, "skipped": "it takes too much"})
    page = report.markdown(summary.merged(results), ["a.png"])
    assert page.count("Some CPU, 2 cores, 16.0 GiB of memory; python") == 1
    assert "## TensorFlow, graph, bert-base" in page
    assert "## TensorFlow, eager, many-small" in page
    assert "TensorFlow, XLA, bert-base was left out: it takes too much." in page
    assert "![a](a.png)" in page


def test_machines_are_one_unless_they_or_a_version_differ():
    jax = {**MACHINE, "versions": {**MACHINE["versions"], "jax": "0.10.2"}}
    other = {**MACHINE, "versions": {"keras": "3.14.0"}}
    gpu = {**MACHINE, "accelerator": "Some GPU"}
    (one,) = machine.united([MACHINE, jax, MACHINE])
    assert one["versions"] == jax["versions"]
    assert len(machine.united([MACHINE, other, gpu, other])) == 3


@pytest.mark.parametrize(("bound", "holds"), [(0.5, "yes"), (0.49, "no")])
def test_a_target_is_for_the_worst_of_its_optimizers(monkeypatch, bound, holds):
    names = ("acclip_threshold_decay", "acclip")
    target = Target("graph", names, bound, "adam")
    found = summary.merged([result("graph", "bert-base", GRAPH)])["results"]
    assert report.worst(target, found) == (0.5, "acclip", [0.5] * 3)
    monkeypatch.setattr(report, "TARGETS", [target])
    (cells,) = rows(report.targets(found)).values()
    assert cells["holds"] == holds
    assert cells["measured"] == "0.5 [0.5, 0.5], `ACClip()`"


def test_a_target_of_what_was_not_measured_has_no_verdict():
    found = summary.merged([result("graph", "bert-base", GRAPH)])["results"]
    for target in (
        Target("graph", OURS, 1.0, "adam"),
        Target("eager", ("acclip",), 1.0, "adam"),
        Target("graph", ("acclip",), 1.0, "adam", "bert-large"),
        Target("graph", ("acclip",), 1.0, "adam_clipped"),
    ):
        assert report.worst(target, found) is None


def test_the_table_of_targets_says_what_holds():
    found = summary.merged([result("graph", "bert-base", GRAPH)])["results"]
    table = report.targets(found)
    acclip = "`ACClip()`, TensorFlow, graph, bert-base"
    cells = rows(table)[acclip]
    assert cells == {
        "against": "keras `Adam()`",
        "at most": "0.75",
        "measured": "0.5 [0.5, 0.5]",
        "holds": "yes",
    }
    # What was not measured is no part of it.
    assert len(rows(table)) == 2
    (other,) = summary.merged([result("xla", "bert-tiny", GRAPH)])["results"]
    assert report.targets([other]) == ""


@pytest.mark.parametrize(
    ("shapes", "plot"),
    [
        ("bert-base", "ratios-bert-base.png"),
        ("parameters:100", "scaling-jax.png"),
        ("variables:3", "scaling-jax.png"),
    ],
)
def test_what_is_written_is_made_again_to_the_byte(tmp_path, shapes, plot):
    times = {"adam": ADAM, "acclip": ADAM}
    results = summary.merged([result("jax", shapes, times)])
    written = report.write(results, str(tmp_path))
    names = ["results.json", "results.md", plot]
    assert written == [str(tmp_path / name) for name in names]
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert before[tmp_path / plot].startswith(b"\x89PNG")
    assert f"({plot})" in before[tmp_path / "results.md"].decode()
    assert json.loads(before[tmp_path / "results.json"]) == results
    assert call(run, "--remake", tmp_path)["written"] == written
    assert before == {path: path.read_bytes() for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    "path",
    sorted(RESULTS.rglob("results.json")),
    ids=lambda path: path.parent.name,
)
def test_what_was_measured_remakes_its_tables_and_plots(path, tmp_path):
    shutil.copy(path, tmp_path)
    written = call(run, "--remake", tmp_path)["written"]
    assert sorted(written) == sorted(map(str, tmp_path.iterdir()))
    there = {other.name for other in path.parent.iterdir()}
    assert {Path(one).name for one in written} == there
    for one in map(Path, written):
        # Other versions of matplotlib draw other bytes.
        start = 8 if one.suffix == ".png" else None
        before = (path.parent / one.name).read_bytes()
        assert one.read_bytes()[:start] == before[:start]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"results": [{"job": 1}]}'])
def test_what_is_no_result_is_not_remade(complain, tmp_path, text):
    path = tmp_path / "results.json"
    path.write_text(text)
    message = complain(run, "--remake", tmp_path)
    assert message.startswith("`--remake` must name ")
    assert message.endswith(f"Received: --remake={path}")
    assert path.read_text() == text

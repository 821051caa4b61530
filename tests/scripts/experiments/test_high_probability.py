"""The high-probability lab: its noise, its runs, its measures, its verdicts."""

import inspect
import json
import math
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import command_line
from experiments.high_probability import claims
from experiments.high_probability import measures
from experiments.high_probability import samples
from experiments.high_probability import tables
from experiments.high_probability.samples import Samples
from tests.support.programs.launch import results_of

FOLDER = Path(claims.__file__).parent
RESULTS = FOLDER / "results"
CLAIMS = claims.load()

# Those of the program, which switches JAX to float64 when it is imported.
SIMULATIONS = (
    "sgd",
    "projected, averaged",
    "cclip",
    "adagrad_norm",
    "adam_norm",
    "adam",
    "adagrad",
    "acclip",
    "spike",
)

VERDICTS = json.loads((RESULTS / "verdicts.json").read_text())

every_verdict = pytest.mark.parametrize("name", CLAIMS)
every_claim = pytest.mark.parametrize("claim", CLAIMS.values(), ids=CLAIMS)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("high_probability")
    return results_of("high_probability", "runs", str(folder), backend="jax")


def powers(alpha, runs=200_000, checkpoints=(10, 100, 1000), power=-0.5):
    """Errors with a tail of index alpha that fall as a power of the step."""
    u = 1 - np.random.default_rng(0).random(runs)
    steps = np.asarray(checkpoints)[:, None]
    return Samples(u ** (-1 / alpha) * steps**power, checkpoints)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIMULATIONS)
def test_errors_are_those_of_numpy_for_the_same_random_bits(found, name):
    assert found["errors"].keys() == set(SIMULATIONS)
    simulated, expected = found["errors"][name]
    # Errors are kept in float32.
    np.testing.assert_allclose(simulated, expected, rtol=1e-7)


@pytest.mark.slow
def test_runs_are_the_same_in_one_piece_in_blocks_and_resumed(found):
    whole, in_blocks, resumed, (*lines, damage) = found["blocks"]
    np.testing.assert_array_equal(in_blocks, whole)
    np.testing.assert_array_equal(resumed, whole)
    assert whole.shape == (3, 50)
    assert lines and all(re.search("% of 50 runs, .* s left", i) for i in lines)
    assert damage.endswith("block-1.npy")


@pytest.mark.slow
def test_noise_has_its_tail_down_to_a_probability_of_1e_8():
    """Float32 uniforms end at 1.2e-7, and hold zeros."""
    beyond_8, beyond_6 = results_of(
        "high_probability", "tail", 1.5, 200_000_000, backend="jax"
    )
    assert 1 <= beyond_8 <= 8
    assert abs(beyond_6 - 200) < 4 * math.sqrt(200)


@pytest.mark.slow
def test_an_arm_has_at_most_a_million_numbers_and_few_are_long(found):
    arms = found["arms"]
    assert len(arms) <= 40
    longest = [max(steps for *_, steps in a.values()) for a in arms.values()]
    assert sum(steps >= 10_000 for steps in longest) <= 10
    for cases in arms.values():
        assert sum(runs * d for runs, d, _ in cases.values()) <= 1_000_000


@pytest.mark.slow
def test_every_arm_is_of_a_claim(found):
    used = {arm for claim in CLAIMS.values() for arm in claim.arms}
    assert used == set(found["arms"])


@pytest.mark.slow
@every_claim
def test_a_claim_measures_cases_of_its_arms(found, claim):
    cases = [name for arm in claim.arms for name in found["arms"][arm]]
    assert claim.says and claim.measure and claim.margin and claim.refuted_by
    for test in claim.tests:
        measure = measures.MEASURES[test.measure]
        inspect.signature(measure).bind({}, **test.arguments)
        assert test.low < test.high
        assert set(test.cases) <= set(cases)
    assert any(not test.control for test in claim.tests)


@pytest.mark.slow
def test_rmsprop_is_between_a_root_half_and_the_whole_of_its_clipping(found):
    for low, high in found["rmsprop"]:
        assert abs(low - math.sqrt(0.5)) < 1e-4
        assert abs(high - 1) < 1e-12


def test_quantiles_are_those_of_numpy():
    errors = np.random.default_rng(1).pareto(1.0, (2, 49_999))
    rows = Samples(errors, (1, 2)).quantiles([0.5, 0.01, 0.001])
    expected = np.quantile(errors[1], [0.5, 0.99, 0.999], method="inverted_cdf")
    np.testing.assert_array_equal(rows[0], expected)
    assert rows.shape == (1 + samples.REPLICATES, 3)
    np.testing.assert_array_equal(
        Samples(errors, (1, 2)).quantiles([0.01], 1)[0],
        np.sort(errors[0])[-500],
    )


def test_the_spread_of_replicates_is_the_standard_error():
    errors = np.random.default_rng(2).normal(size=(1, 40_000))
    sampled = Samples(errors, (1,))
    assert abs(sampled.mean()[0] - errors.mean()) < 1e-12
    assert abs(np.std(sampled.mean()[1:]) / (1 / 200) - 1) < 0.15
    chance = sampled.probability(1.0)
    expected = math.sqrt(0.1587 * 0.8413 / 40_000)
    assert abs(np.std(chance[1:, 0]) / expected - 1) < 0.15
    # The density of the median is 1/√(2π).
    medians = sampled.quantiles([0.5])[1:, 0]
    expected = math.sqrt(math.pi / 2) / 200
    assert abs(np.std(medians) / expected - 1) < 0.15


def test_steps_to_a_probability_are_between_those_around_it():
    # P(error > 1) is .8 at step 1, .4 at step 10, .04 at step 100.
    below = np.array([[0.2], [0.6], [0.96]])
    errors = (np.arange(1_000) / 1_000 >= below) * 2.0
    sampled = Samples(errors, (1, 10, 100))
    np.testing.assert_allclose(sampled.steps_to(1.0, 0.4)[0], [10, 2, 10])
    half = 10 * 10 ** (math.log(0.4 / 0.2) / math.log(10))
    np.testing.assert_allclose(sampled.steps_to(1.0, 0.2)[0], [half, 11, 100])
    np.testing.assert_array_equal(sampled.steps_to(1.0, 0.9)[0], [1, 1, 1])
    never = [np.inf, 101, np.inf]
    np.testing.assert_array_equal(sampled.steps_to(1.0, 0.03)[0], never)


def test_an_exponent_of_steps_is_known_as_well_as_checkpoints_are_close():
    def errors_of(last):
        """Errors of which a share δ is large, up to a step."""
        steps = np.array([10, 12, 100, 140])
        return Samples((steps <= last)[:, None] * np.ones(100), steps)

    cases = {"0.4": errors_of(10), "0.04": errors_of(100)}
    # K is from 11 to 12, and then from 101 to 140.
    rows = measures._steps_exponent(
        [0.4, 0.04], [case.steps_to(0.5, 0.2) for case in cases.values()]
    )
    assert rows[1:] == pytest.approx([np.log10(101 / 12), np.log10(140 / 11)])
    assert rows[1] < rows[0] < rows[2]


def test_nothing_is_known_of_fewer_than_twenty_runs_beyond():
    sampled = powers(1.5, runs=1_900)
    cases = {"a": sampled, "b": powers(1.5, runs=19)}
    for rows in (
        measures.quantile_slope(cases, "a", [0.1, 0.01]),
        measures.ratio(cases, "a", "a", "q99"),
        measures.level(cases, "b", "mean", 1.0),
        measures.steps_power(cases, "a", 1.0, [0.1, 0.01]),
        measures.mean_growth(cases, "a", [10, 100]),
    ):
        assert claims.interval(rows)[1:] == (-math.inf, math.inf)
    rows = measures.quantile_slope(cases, "a", [0.1, 0.02])
    assert np.all(np.isfinite(rows))


def test_exponents_are_those_that_errors_are_made_with():
    cases = {
        "1": powers(2.0),
        "3": Samples(9 * powers(2.0).errors, (10, 100, 1000)),
        "9": Samples(81 * powers(2.0).errors, (10, 100, 1000)),
    }

    def near(rows, value, within=0.05):
        assert abs(rows[0] - value) < within
        low, high = np.quantile(rows[1:], [0.001, 0.999])
        assert low - 1e-9 <= value <= high + 1e-9

    near(measures.quantile_slope(cases, "1", [0.01, 0.001]), 0.5)
    near(measures.slope_fall(cases, "1", [0.1, 0.01, 0.001]), 0.0, 0.1)
    near(measures.slope_difference(cases, "1", "3", [0.1, 0.01]), 0.0)
    near(measures.decay(cases, "1", "median", [10, 1000]), -0.5)
    near(measures.decay_difference(cases, "1", "9", "q99", [10, 1000]), 0.0)
    near(measures.ratio(cases, "9", "1", "q99"), 81.0)
    near(measures.growth(cases, "{}", [1, 3, 9], "mean"), 2.0)
    near(measures.spread(cases, "{}", [1, 3, 9], "median"), 81.0)
    near(measures.level(cases, "1", "median", 2.0), 2**0.5 / 1000**0.5 / 2)
    # P(error > ε) = (ε √K)^-2, so K(ε, δ) = 1/(ε² δ).
    near(measures.steps_power(cases, "1", 1.0, [0.1, 0.01]), 1.0)
    near(measures.probability(cases, "1", 1.0), 1e-3, 1e-4)
    spikes = {"0.2": powers(2.0), "0.02": powers(2.0)}
    near(measures.steps_growth(spikes, "{}", [0.2, 0.02], 1.0), 1.0)


def test_the_mean_of_an_infinite_mean_grows_with_the_sample():
    cases = {"a": powers(0.75, runs=1_000_000)}
    rows = measures.mean_growth(cases, "a", [100, 1_000, 10_000])
    assert abs(rows[0] - 1 / 3) < 0.06
    assert 0.005 < np.std(rows[1:]) < 0.05


@pytest.mark.parametrize(
    ("interval", "verdict"),
    [
        ((0.2, 0.3), "holds"),
        ((0.0, 1.0), "holds"),
        ((1.1, 1.2), "fails"),
        ((-0.5, -0.1), "fails"),
        ((0.9, 1.1), "undecided"),
        ((-math.inf, math.inf), "undecided"),
        ((math.inf, math.inf), "fails"),
    ],
)
def test_a_test_is_decided_by_where_its_interval_lies(interval, verdict):
    test = claims.Test("ratio", {}, 0.0, 1.0)
    assert test.verdict(*interval) == verdict


def test_a_claim_needs_all_tests_its_controls_and_a_rate_inside_the_grid():
    test = claims.Test("ratio", {}, 0.0, 1.0)
    control = claims.Test("ratio", {}, 0.0, 1.0, control=True)
    words = {"measure": "", "margin": "", "refuted_by": "", "arms": []}
    claim = claims.Claim("a", "a", "", tests=[test, test, control], **words)

    def verdict(*decisions, at_edge=()):
        return claim.verdict(decisions, at_edge)[0]

    assert verdict("holds", "holds", "holds") == "holds"
    assert verdict("holds", "fails", "holds") == "fails"
    assert verdict("fails", "undecided", "holds") == "fails"
    assert verdict("holds", "undecided", "holds") == "undecided"
    assert verdict("holds", "holds", "fails") == "undecided"
    assert verdict("holds", "holds", "undecided") == "undecided"
    assert verdict("holds", "holds", "holds", at_edge=["b"]) == "undecided"
    reason = claim.verdict(["holds"] * 3, ["b, delay = 1"])[1]
    assert reason == "best rate at the edge: b, delay = 1"


def test_intervals_hold_95_percent_and_know_of_infinities():
    rows = np.concatenate([[0.5], np.linspace(0, 1, 401)])
    assert claims.interval(rows) == (0.5, 0.025, 0.975)
    assert claims.interval(np.array([2.0])) == (2.0, 2.0, 2.0)
    assert claims.interval(np.array([2.0, 1.0, 3.0])) == (2.0, 1.0, 3.0)
    estimate, low, high = claims.interval(np.full(401, np.inf))
    assert low == high == estimate == math.inf
    assert claims.interval(np.array([np.nan] * 9))[1:] == (-np.inf, np.inf)


@pytest.mark.slow
def test_every_claim_is_decided_and_every_figure_drawn_at_smoke_size(tmp_path):
    verdicts, drawn = results_of(
        "high_probability", "smoke", str(tmp_path), backend="jax"
    )
    assert verdicts.keys() == CLAIMS.keys()
    assert set(verdicts.values()) <= {"holds", "fails", "undecided"}
    text = (tmp_path / "results-share-2e-05/results.md").read_text()
    assert all(f"\n## {name}\n" in text for name in CLAIMS)
    # A tail of twenty runs cannot be drawn.
    assert "theorems.png" in drawn
    for name in drawn:
        assert (tmp_path / "results-share-2e-05" / name).stat().st_size > 10_000


def script(name, *arguments):
    """Runs a script of the lab, and returns its status and its last line."""
    done = subprocess.run(
        [sys.executable, FOLDER / f"{name}.py", *map(str, arguments)],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.slow
def test_a_second_start_gives_the_same_tables_by_any_number_of_processes(
    tmp_path,
):
    tables = []
    for processes in (1, 2):
        folder = tmp_path / str(processes)
        status, output, lines = script(
            "run",
            *("--claim", "power_of_threshold", "--share", "1e-3"),
            *("--processes", processes, "--output_dir", folder),
        )
        assert status == 0, lines
        assert json.loads(output).keys() == {"power_of_threshold"}
        results = folder / "results-share-0.001"
        tables.append(
            [
                (results / name).read_bytes()
                for name in ("results.md", "verdicts.json")
            ]
        )
    assert tables[0] == tables[1]
    # The runs are there: no case is made again.
    _, _, lines = script(
        "run",
        *("--claim", "power_of_threshold", "--share", "1e-3"),
        *("--processes", 1, "--output_dir", tmp_path / "1"),
    )
    assert "made in" not in lines


@pytest.mark.slow
def test_figures_are_drawn_of_the_arms_that_are_there(tmp_path):
    (tmp_path / "arms").mkdir()
    name = "theorem-4.json"
    (tmp_path / "arms" / name).write_text((RESULTS / "arms" / name).read_text())
    status, output, lines = script("draw", "--results_dir", tmp_path)
    assert status == 0, lines
    assert json.loads(output) == {"figures": []}
    (tmp_path / "arms" / name).write_text("half")
    status, _, lines = script("draw", "--results_dir", tmp_path)
    assert status == 2 and lines.endswith(f"{name}\n")


def test_a_missing_package_is_named_with_what_installs_it():
    with pytest.raises(command_line.InputError, match="no_such_module.* x in"):
        with command_line.installed("x"):
            import no_such_module  # noqa: F401


@pytest.mark.slow
def test_a_case_of_ones_own_is_printed_and_drawn(tmp_path):
    figure = tmp_path / "own.png"
    status, output, lines = script(
        "own_case",
        *("--tail_index", 1.6, "--learning_rate", 0.1, "--clip_threshold", 1),
        *("--runs", 2_000, "--steps", 200, "--output_file", figure),
    )
    assert status == 0, lines
    found = json.loads(output)
    assert found["delta"] == [0.5, 0.1, 0.05]
    assert found["unclipped"][-1] > 5 * found["clipped"][-1]
    assert figure.stat().st_size > 10_000
    rows = [line.split() for line in lines.splitlines()[-3:]]
    columns = list(zip(*rows, strict=True))
    for column, name in zip(
        columns, ("delta", "unclipped", "clipped"), strict=True
    ):
        assert [float(value) for value in column] == found[name]


@pytest.mark.parametrize(
    ("name", "arguments", "end"),
    [
        (
            "own_case",
            ["--tail_index", "1"],
            "must be above 1 and at most 2. Received: tail_index=1",
        ),
        (
            "own_case",
            ["--tail_index", "2.5"],
            "Received: tail_index=2.5",
        ),
        (
            "own_case",
            ["--tail_index", "1.5", "--runs", "0"],
            "must be an integer from 200 to 10000000. Received: 0",
        ),
        (
            "own_case",
            ["--tail_index", "1.5", "--output_file", "no/such/place.png"],
            "Received: output_file=no/such/place.png",
        ),
        ("run", ["--claim", "nothing"], "Received: claim=nothing"),
        ("run", ["--share", "0"], "Received: 0"),
        ("draw", ["--results_dir", "nowhere"], "Received: results_dir=nowhere"),
    ],
)
def test_what_cannot_be_ends_in_one_line(name, arguments, end):
    if name == "own_case":
        arguments += ["--learning_rate", "0.1", "--clip_threshold", "1"]
    status, _, lines = script(name, *arguments)
    assert status == 2
    assert lines.startswith(f"{name}.py: error: ")
    assert lines.endswith(f"{end}\n") and lines.count("\n") == 1


@every_verdict
def test_a_committed_verdict_is_that_of_the_claim_as_it_is(name):
    """Neither the claims nor their bounds were moved after the runs."""
    claim, verdict = CLAIMS[name], VERDICTS[name]
    at_edge = []
    for arm in claim.arms:
        log = json.loads(
            (RESULTS / "arms" / f"{tables.file_name(arm)}.json").read_text()
        )
        assert log["arm"] == arm
        at_edge += [
            case
            for case in claim.cases
            if log["cases"].get(case, {}).get("at_edge")
        ]
    decisions = []
    for test, found in zip(claim.tests, verdict["tests"], strict=True):
        assert found["measure"] == test.measure
        assert test.arguments.items() <= found.items()
        assert [float(bound) for bound in found["bounds"]] == [
            float(f"{bound:.6g}") for bound in (test.low, test.high)
        ]
        low, high = map(float, found["interval"])
        assert low <= float(found["estimate"]) <= high
        assert found["verdict"] == test.verdict(low, high)
        decisions.append(found["verdict"])
    assert (verdict["verdict"], verdict["reason"]) == claim.verdict(
        decisions, at_edge
    )


def test_the_committed_tables_are_those_of_the_committed_verdicts():
    text = tables.of_verdicts(CLAIMS, VERDICTS)
    assert (RESULTS / "results.md").read_text() == text


@every_verdict
def test_the_readme_has_every_verdict(name):
    text = (FOLDER / "README.md").read_text("utf-8")
    (row,) = [i for i in text.splitlines() if i.startswith(f"| `{name}` |")]
    verdict = re.search(r"\*\*(\w+)\*\*", row.split("|")[3]).group(1)
    assert verdict == VERDICTS[name]["verdict"]

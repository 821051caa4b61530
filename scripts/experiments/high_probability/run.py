r"""Decides the claims of `claims.yaml` about clipping under heavy-tailed noise.

Makes the runs of the claims' arms and writes verdicts, with intervals, and what
is known of every case. After an interruption the same command resumes. Example,
one claim, some minutes:

    python scripts/experiments/high_probability/run.py --claim tail_clipped \
        --output_dir runs/high_probability

All claims take two hours on two cores.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import command_line  # noqa: E402
from command_line.files import make_directory  # noqa: E402
from command_line.files import read_json  # noqa: E402
from command_line.files import write_json  # noqa: E402
from command_line.parents import end_with  # noqa: E402
from command_line.progress import say  # noqa: E402


def run(arguments: argparse.Namespace) -> dict[str, str]:
    """Makes runs and writes verdicts.

    Args:
        arguments: The parsed command line.

    Returns:
        Dict from the name of each claim to its verdict.
    """
    with command_line.installed('".[jax,noise]" pyyaml'):
        from experiments import claims
        from experiments.high_probability import claims as lab_claims

        # Before what takes long to import.
        decided = claims.chosen(lab_claims.load(), arguments.claim)
        from experiments import verdict_tables
        from experiments.high_probability import arms
        from experiments.high_probability import lab
        from experiments.machine import machine
    folder = Path(arguments.output_dir)
    make_directory("output_dir", str(folder))
    of = lab.Lab(folder, arguments.seed, arguments.share)
    names = list(dict.fromkeys(arm for claim in decided for arm in claim.arms))
    _make(of, names, arguments.processes)
    # Results of other noise, or of fewer runs, are not mixed.
    other = f"-seed-{arguments.seed}" * (arguments.seed > 0)
    other += f"-share-{arguments.share:g}" * (arguments.share < 1)
    results = folder / f"results{other}"
    (results / "arms").mkdir(parents=True, exist_ok=True)
    for arm in names:
        say(f"{arm}: measuring")
        log = {name: of.log(arm, name) for name in lab.cached_arms()[arm]}
        path = results / "arms" / f"{arms.file_name(arm)}.json"
        here = machine(("jax", "jaxlib", "keras", "numpy"))
        made = {"arm": arm, "machine": here, "cases": log}
        write_json(str(path), made)
    path = results / "verdicts.json"
    verdicts = {}
    if path.exists():
        verdicts = read_json("output_dir", str(path))
    for claim in decided:
        say(f"{claim.name}: deciding")
        verdicts[claim.name] = _decide(claim, of)
        write_json(str(path), verdicts)
    text = verdict_tables.of_verdicts(lab_claims.load(), verdicts, "run.py")
    (results / "results.md").write_text(text, "utf-8")
    say(f"the tables are in {results}")
    return {claim.name: verdicts[claim.name]["verdict"] for claim in decided}


def _make(of, names, processes):
    """Makes the runs of all cases, the longest first."""
    from experiments.high_probability import lab

    cases = [
        (arm, name, case.runs * case.problem.dimension * case.steps)
        for arm in names
        for name, case in lab.cached_arms()[arm].items()
    ]
    cases.sort(key=lambda case: -case[2])
    if processes == 1:
        for arm, name, _ in cases:
            _made(of, arm, name)
        return
    pool = concurrent.futures.ProcessPoolExecutor(
        processes,
        multiprocessing.get_context("spawn"),
        initializer=end_with,
        initargs=(os.getpid(),),
    )
    jobs = [pool.submit(_made, of, arm, name) for arm, name, _ in cases]
    try:
        for number, job in enumerate(
            concurrent.futures.as_completed(jobs), start=1
        ):
            job.result()
            say(f"{number} of {len(jobs)} cases are made")
    except KeyboardInterrupt:
        say("stopping; the same command resumes")
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _made(of, arm, name):
    """Makes a case's runs, in a process of the pool if there is one."""
    of.make(arm, name, say)


def _decide(claim, of):
    """Returns the tests of a claim and its verdict, as they are written."""
    from experiments.claims import decided
    from experiments.high_probability import lab
    from experiments.high_probability.claims import cases
    from experiments.high_probability.measures import MEASURES

    arm_of = {
        name: arm
        for arm in claim.arms
        for name in cases(claim.tests)
        if name in lab.cached_arms()[arm]
    }
    at_edge = [
        name
        for name, arm in arm_of.items()
        if of.make(arm, name, say)["at_edge"]
    ]
    tests = []
    for test in claim.tests:
        samples = {
            name: of.samples(arm_of[name], name) for name in cases([test])
        }
        rows = MEASURES[test.measure](samples, **test.arguments)
        tests.append(decided(test, rows))
    decisions = [test["verdict"] for test in tests]
    verdict, reason = claim.verdict(decisions, at_edge)
    return {"verdict": verdict, "reason": reason, "tests": tests}


def parser() -> command_line.Parser:
    """Returns the parser of this script's command line."""
    result = command_line.Parser(__doc__)
    add = result.add_argument
    add(
        "--claim",
        action="extend",
        nargs="+",
        default=[],
        metavar="NAME",
        help="the claims to decide, by their names in claims.yaml; all by "
        "default",
    )
    add(
        "--output_dir",
        default="runs/high_probability",
        metavar="DIR",
        help="folder for runs and results",
    )
    add(
        "--processes",
        type=command_line.integer(1, 256),
        default=os.cpu_count(),
        help="processes, one thread each",
    )
    add(
        "--seed",
        type=command_line.integer(0, 10**6),
        default=0,
        help="seed of the noise",
    )
    add(
        "--share",
        type=command_line.number(1e-6, 1.0),
        default=1.0,
        help="share of the runs to make, to try it out",
    )
    return result


if __name__ == "__main__":
    # Cases are shared out over processes, of one thread each.
    os.environ["KERAS_BACKEND"] = "jax"
    os.environ.setdefault("PJRT_NPROC", "1")
    command_line.main(parser(), run)

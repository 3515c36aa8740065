"""``causalbench check``: does an agent, a world or a suite keep the rules?"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import typer

from .common import (
    JobsOption,
    JsonOption,
    LimitOption,
    SeedOption,
    count,
    env,
    print_json,
    stdout_kept,
)
from .list import sequences
from .run import one_thread_each
from .sequence import is_sequence

__all__ = ["check"]

Kind = Literal["agent", "world", "suite"]


def check(
    kind: Annotated[Kind, typer.Argument(help="What to check.")],
    name: Annotated[str, typer.Argument(help="Its name or path; an agent: file.py:Class too.")],
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-A", envvar=env("option"), help="An agent's option, k=v."),
    ] = None,
    seed: SeedOption = 0,
    limit: LimitOption = None,
    jobs: JobsOption = 1,
    as_json: JsonOption = False,
) -> None:
    """Check an agent, a world or a suite. Ends with 1 if there are problems.

    Of a suite it also says how its pairs are spread: attempts, gaps, truths, kinds of task.
    """
    one_thread_each()
    if option and kind != "agent":
        msg = f"only an agent takes options, not a {kind}; leave -A out."
        raise typer.BadParameter(msg, param_hint="'-A'")
    more: dict[str, Any] = {}
    with stdout_kept():
        if kind == "suite":
            from causalbench.run.check_suite import report_suite

            report = report_suite(name, seed=seed, limit=limit, jobs=jobs, progress=True)
            problems, more = list(report.problems), {"report": report.to_dict()}
            if not as_json and report.balance is not None:
                from causalbench.report.balance import balance_lines

                more = {"lines": list(balance_lines(report.balance))}
        else:
            problems = _problems(kind, name, option or [])
    if as_json:
        print_json({"kind": kind, "name": name, "ok": not problems, "problems": problems, **more})
    else:
        for line in (*more.get("lines", ()), *problems):
            print(line)
        print(f"{kind} {name}: {count(len(problems), 'problem') if problems else 'ok'}")
    raise typer.Exit(1 if problems else 0)


def _problems(kind: Kind, name: str, options: list[str]) -> list[str]:
    """Run the check of an agent or a world."""
    if kind == "agent":
        from causalbench.agent.check import check_agent
        from causalbench.agent.options import options_for, parse_options
        from causalbench.agent.registry import make_agent
        from causalbench.errors import AgentError

        given = options_for(parse_options(options), name)
        with suppress(AgentError):  # a problem of the agent's, which the check reports
            make_agent(name, given)  # what isn't there at all is the user's to mend
        return check_agent(name, given)
    from causalbench.task.check import check_world
    from causalbench.task.world import load_world

    if name in sequences() or is_sequence(name):
        from causalbench.task.sequential import load_sequence

        load_sequence(name)  # reading it is the check
        return []
    return check_world(load_world(name))

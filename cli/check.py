"""``causalbench check``: does an agent, a world or a suite keep the rules?"""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Literal

import typer

from .common import JsonOption, LimitOption, SeedOption, count, env, print_json, stdout_kept
from .run import one_thread_each

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
    as_json: JsonOption = False,
) -> None:
    """Check an agent, a world or a suite. Ends with 1 if there are problems."""
    one_thread_each()
    with stdout_kept():
        problems = _problems(kind, name, option or [], seed, limit)
    if as_json:
        print_json({"kind": kind, "name": name, "ok": not problems, "problems": problems})
    else:
        for problem in problems:
            print(problem)
        print(f"{kind} {name}: {count(len(problems), 'problem') if problems else 'ok'}")
    raise typer.Exit(1 if problems else 0)


def _problems(kind: Kind, name: str, options: list[str], seed: int, limit: int | None) -> list[str]:
    """Run the check of the kind."""
    if options and kind != "agent":
        msg = f"only an agent takes options, not a {kind}; leave -A out."
        raise typer.BadParameter(msg, param_hint="'-A'")
    if kind == "agent":
        from causalbench.agent.check import check_agent
        from causalbench.agent.options import options_for, parse_options
        from causalbench.agent.registry import make_agent
        from causalbench.errors import AgentError

        given = options_for(parse_options(options), name)
        with suppress(AgentError):  # a problem of the agent's, which the check reports
            make_agent(name, given)  # what isn't there at all is the user's to mend
        return check_agent(name, given)
    if kind == "world":
        from causalbench.task.check import check_world
        from causalbench.task.world import load_world

        return check_world(load_world(name))
    from causalbench.run.check_suite import check_suite

    return check_suite(name, seed=seed, limit=limit)

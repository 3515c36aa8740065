"""``causalbench ask``: the exact answer to one query, what lesser solvers would say, and proof."""

from __future__ import annotations

import sys
from pathlib import Path  # noqa: TC003  (typer reads the annotations)
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .common import JsonOption, env, print_json
from .network import CouplingOption, RenormaliseOption, loaded

if TYPE_CHECKING:
    from causalbench.query import Choice, Query
    from causalbench.task.world import World
    from causalbench.truth import Knowledge, Truth
    from causalbench.truth.certificate import Identified
    from causalbench.truth.certification import Certificate

__all__ = ["ask"]

_RUNGS = {1: "see", 2: "do", 3: "imagine"}
_ROUNDING = 1e-14


_ABOUT_PROOFS = ("regime", "shown", "assume", "manipulable", "witnesses")


def ask(  # noqa: PLR0913, PLR0917  (an option each)
    context: typer.Context,
    world: Annotated[
        str, typer.Argument(help="A world's name, or the path of a YAML or BIF file.")
    ],
    query: Annotated[str, typer.Argument(help='E.g. "P(rain=yes | do(umbrella=no))".')],
    certify: Annotated[
        bool,
        typer.Option(
            "--certify",
            envvar=env("certify"),
            help="Prove whether what is known settles the query: an estimand, or sharp bounds and "
            "two witness worlds.",
        ),
    ] = False,
    regime: Annotated[
        str,
        typer.Option(
            envvar=env("regime"), help="With --certify: see, do, intent or replay is permitted."
        ),
    ] = "see",
    shown: Annotated[
        str,
        typer.Option(
            envvar=env("shown"), help="With --certify: none, diagram or mechanisms are shown."
        ),
    ] = "diagram",
    assume: Annotated[
        list[str] | None,
        typer.Option(
            envvar=env("assume"), help='With --certify: an assumption, e.g. "monotone: x -> y".'
        ),
    ] = None,
    manipulable: Annotated[
        str | None,
        typer.Option(
            envvar=env("manipulable"),
            help="With --certify: the variables that experiments may set, e.g. x,z; all by "
            "default.",
        ),
    ] = None,
    witnesses: Annotated[
        Path | None,
        typer.Option(
            envvar=env("witnesses"),
            help="With --certify: write the two witness worlds into this folder, as world files.",
        ),
    ] = None,
    coupling: CouplingOption = None,
    renormalise: RenormaliseOption = False,
    as_json: JsonOption = False,
) -> None:
    """Answer a query exactly, and say what a perfect solver of each rung would answer."""
    from causalbench.errors import CouplingError
    from causalbench.query import parse
    from causalbench.truth import Knowledge, truth

    if not certify:
        _refuse_idle(context)
    subject = loaded(world, coupling, renormalise=renormalise)
    parsed = parse(query, subject.scm.vocabulary)
    try:
        found: Truth | None = truth(subject, parsed)
    except CouplingError:
        if not (certify and shown == "mechanisms"):
            raise
        found = None  # the certificate says how far the tables leave it open
    proofs: dict[str, Certificate] = {}
    if certify:
        known = Knowledge(
            regime,  # type: ignore[arg-type]  # Knowledge says what is wrong with it
            shown,  # type: ignore[arg-type]
            tuple(sorted(assume or ())),
            None if manipulable is None else tuple(_names(manipulable)),
        )
        proofs = _proofs(subject, parsed, known)
        if witnesses is not None:
            _save(subject, proofs, witnesses)
    if as_json:
        print_json(_record(str(parsed), found, proofs))
        return
    if found is None:
        print(parsed)
    else:
        _print_truth(str(parsed), found)
    for label, proof in proofs.items():
        _print_proof(label, proof)


def _refuse_idle(context: typer.Context) -> None:
    """Refuse what is typed about a proof that is not asked for; it would change nothing."""
    for name in _ABOUT_PROOFS:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            why = "it says something about a certificate and none is asked for"
            raise typer.BadParameter(f"{why}; add --certify, or drop it.", param_hint=f"'--{name}'")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _proofs(world: World, parsed: Query | Choice, known: Knowledge) -> dict[str, Certificate]:
    """Certify the query, under "", or each action of a choice, under its label."""
    from causalbench.query import Choice
    from causalbench.truth.certification import certify, certify_options

    if isinstance(parsed, Choice):
        return certify_options(world, parsed, known)
    return {"": certify(world, parsed, known)}


def _save(world: World, proofs: dict[str, Certificate], folder: Path) -> None:
    """Write the witnesses as world files, which every command reads."""
    import yaml

    from causalbench.task.world import World
    from causalbench.truth import Unidentified

    undecided = [proof for proof in proofs.values() if isinstance(proof, Unidentified)]
    if not undecided:
        print("no witnesses are written: the query is settled", file=sys.stderr)
        return
    folder.mkdir(parents=True, exist_ok=True)
    for number, proof in enumerate(undecided):
        for end, witness in zip(("lower", "upper"), proof.witnesses, strict=True):
            name = end if len(proofs) == 1 else f"{number}-{end}"
            title = f"A witness: {proof.query} is {witness.value:.12g} here"
            source = f"agrees with {world.id} on all that is given ({proof.knowledge})"
            made = World(name, 1, title, source, witness.scm).to_dict()
            text = yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=100)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


def _record(query: str, found: Truth | None, proofs: dict[str, Certificate]) -> dict[str, Any]:
    answer: dict[str, Any] = {"query": query}
    if found is not None:
        readings = dict(found.readings)
        answer |= {"rung": found.rung, "value": found.value, "error": found.error}
        answer["readings"] = readings
        if found.values is not None:
            answer["values"] = dict(found.values)
    if "" in proofs:
        answer["certificate"] = proofs[""].to_dict()
    elif proofs:
        answer["certificates"] = {label: proof.to_dict() for label, proof in proofs.items()}
    return answer


def _print_truth(query: str, found: Truth) -> None:
    print(query)
    print(f"rung     {found.rung} ({_RUNGS[found.rung]})")
    print(f"value    {_shown(found.value)}{f' +- {found.error:.2g}' if found.error else ''}")
    for name, reading in found.readings.items():
        print(f"{name:<9}{_shown(reading)}")
    if found.values is not None:
        print("values of the actions")
        for label, value in found.values.items():
            print(f"  {label:<20}{_shown(value)}")


def _print_proof(label: str, proof: Certificate) -> None:
    from causalbench.truth.certificate import Identified

    print()
    if label:
        print(f"action   {label}")
    print(f"given    {proof.knowledge}")
    if isinstance(proof, Identified):
        print(f"settled  {_shown(_settled(proof))}")
        print(f"  = {proof.estimand}")
    else:
        kind = "sharp bounds" if proof.sharp else "outer bounds, not sharp"
        print(f"open     from {_shown(proof.lower)} to {_shown(proof.upper)} ({kind})")
        low, high = (_shown(witness.value) for witness in proof.witnesses)
        print(f"  two worlds that agree with this one on all that is given have {low} and {high}")
    print(f"by       {proof.method}")
    print(f"         {proof.source}")


def _settled(proof: Identified) -> float:
    """Return the value, and 0 for a difference that is 0 but for rounding."""
    from causalbench.truth.identify.estimand import Linear

    rounding = isinstance(proof.estimand, Linear) and abs(proof.value) < _ROUNDING
    return 0.0 if rounding else proof.value


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"

"""Every path of a mapping against the guide: a rule that reads what a set does not have is found at load."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hub.domain.errors import Problem
from hub.translate.compile import Compiled

Knows = Callable[[str, Sequence[str], int, int], bool]
"""(guide, tags from the top such as ("N1", "N4"), element or 0, component or 0) -> whether the guide has it."""


def check_paths(compiled: Compiled, knows: Knows) -> list[Problem]:
    """Ask for every inward EDI path whether the guide knows it; return what it does not know."""
    guide = compiled.mapping.guide
    problems = []
    for rule, tags, path in dict.fromkeys(compiled.paths) if guide else ():
        full = (*tags[: len(tags) - path.ups], *(step.name for step in path.steps))
        if not knows(guide, full, path.element, path.component):
            where = compiled.mapping.lines.get(rule, compiled.mapping.name)
            text = f"{where}: {path.text} is not in guide {guide} (asked for {'/'.join(full)})"
            problems.append(Problem(code="mapping", path=rule, text=text))
    return problems

"""Find plug-ins: what is built in, folders in `connectors/`, then entry points in the group `hub`."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import logging
import pkgutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import entry_points
from typing import Any

import pluggy

from hub import hookspecs
from hub.domain.event import Event

log = logging.getLogger(__name__)

BUILT_IN = ("hub.codecs", "hub.translate", "mappings")
GROUP = "hub"


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A plug-in that may be loaded: its name for people, and how."""

    name: str
    load: Callable[[], object]


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A plug-in that was left out, and why."""

    plugin: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The plug-ins that work, and those that do not."""

    manager: pluggy.PluginManager
    broken: tuple[Broken, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the plug-ins that were loaded, in the order of loading."""
        return tuple(name for name, _ in self.manager.list_name_plugin())


def load_plugins(candidates: Iterable[Candidate] | None = None, *, allowed: Sequence[str] | None = None) -> Loaded:
    """Load every plug-in on this machine; `allowed` names the third-party ones that may (None: all installed)."""
    manager = pluggy.PluginManager("hub")
    manager.add_hookspecs(hookspecs)
    broken: list[Broken] = []
    for candidate in find(allowed=allowed) if candidates is None else candidates:
        try:
            _register(manager, candidate)
        except BaseException as error:  # a plug-in may raise anything at import, SystemExit included
            if isinstance(error, KeyboardInterrupt):
                raise
            log.error("plug-in %s could not be loaded: %s", candidate.name, error, exc_info=True)
            broken.append(Broken(plugin=candidate.name, reason=f"{type(error).__name__}: {error}"))
    broken += _misspelt(manager)
    return Loaded(manager=manager, broken=tuple(broken))


def find(
    *, package: str = "connectors", built_in: Sequence[str] = BUILT_IN, allowed: Sequence[str] | None = None
) -> Iterator[Candidate]:
    """Yield what could be loaded, without loading it."""
    for name in built_in:
        if importlib.util.find_spec(name) is not None:
            yield Candidate(name=name, load=partial(importlib.import_module, name))
    folder = importlib.import_module(package)
    for module in sorted(pkgutil.iter_modules(folder.__path__, f"{package}."), key=lambda module: module.name):
        yield Candidate(name=module.name, load=partial(importlib.import_module, module.name))
    for entry in entry_points(group=GROUP):
        if allowed is None or entry.name in allowed:
            yield Candidate(name=entry.name, load=entry.load)


def _register(manager: pluggy.PluginManager, candidate: Candidate) -> None:
    if manager.has_plugin(candidate.name):
        raise ValueError(f"two plug-ins are called {candidate.name}; the first one stays")
    plugin = candidate.load()
    if inspect.isclass(plugin):
        plugin = plugin()
    try:
        manager.register(plugin, candidate.name)
    except BaseException:
        if manager.has_plugin(candidate.name):
            manager.unregister(name=candidate.name)
        raise


def _misspelt(manager: pluggy.PluginManager) -> list[Broken]:
    """Leave out plug-ins with a hook that does not exist; pluggy names the hook, we name the plug-in."""
    found: list[Broken] = []
    for _ in range(len(manager.get_plugins()) + 1):
        try:
            manager.check_pending()
            break
        except pluggy.PluginValidationError as error:
            name = manager.get_name(error.plugin) or repr(error.plugin)
            log.error("plug-in %s is left out: %s", name, error)
            found.append(Broken(plugin=name, reason=str(error)))
            manager.unregister(error.plugin)
    return found


def declared(manager: pluggy.PluginManager, hook: str) -> dict[str, Any]:
    """Collect what plug-ins declare, by name. Two of one name is an error that names both."""
    things: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for owner, thing in each(manager, hook):
        name = getattr(thing, "name", None)
        if not isinstance(name, str) or not name:
            log.error("plug-in %s declared %r in %s, which has no name; it is left out", owner, thing, hook)
            continue
        if name in things:
            raise ValueError(f"{owner} and {owners[name]} both declare {name!r} in {hook}; uninstall or rename one")
        things[name], owners[name] = thing, owner
    return things


def each(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> Iterator[tuple[str, Any]]:
    """Yield (plug-in, thing) from a hook that yields several. A plug-in that fails is logged by name and left out."""
    for implementation in _implementations(manager, hook):
        try:
            things = list(_call(implementation, arguments) or ())
        except Exception:
            log.exception("plug-in %s failed in %s", implementation.plugin_name, hook)
            continue
        for thing in things:
            yield implementation.plugin_name, thing


def first(manager: pluggy.PluginManager, hook: str, **arguments: Any) -> Any:
    """Return the first answer that is not None of a deciding hook. A plug-in that fails is passed over."""
    for implementation in _implementations(manager, hook):
        try:
            answer = _call(implementation, arguments)
        except Exception:
            log.exception("plug-in %s failed in %s", implementation.plugin_name, hook)
            continue
        if answer is not None:
            return answer
    return None


def observe(manager: pluggy.PluginManager, event: Event) -> None:
    """Tell every observer; none can stop the next, or us."""
    for implementation in _implementations(manager, "hub_observe"):
        try:
            _call(implementation, {"event": event})
        except Exception:
            log.exception("observer %s failed on %s", implementation.plugin_name, event.name)


def _implementations(manager: pluggy.PluginManager, hook: str) -> Iterator[pluggy.HookImpl]:
    """Yield implementations in pluggy's order of calling: tryfirst first, then the last registered."""
    caller: pluggy.HookCaller = getattr(manager.hook, hook)
    return reversed(caller.get_hookimpls())


def _call(implementation: pluggy.HookImpl, arguments: Mapping[str, Any]) -> Any:
    return implementation.function(*(arguments[name] for name in implementation.argnames))

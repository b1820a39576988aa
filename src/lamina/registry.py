"""Named records: the registry behind activations, errors, schedules and solvers.

A record is a frozen dataclass whose fields are its parameters, so that
`leaky_relu(slope=0.2)` is a name, an object and a line of JSON.
"""

from __future__ import annotations

import ast
from dataclasses import asdict
from dataclasses import fields as dataclass_fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from lamina.exceptions import InvalidTypeError, InvalidValueError, UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

T = TypeVar("T")
Maker = TypeVar("Maker")

OWN = {"activation", "error"}
"""The kinds that users extend, each with a function `lamina.register_...`."""
LONGEST = 1000
"""Characters at most in the spelling of a record; nothing longer is looked into."""


class Registry(Generic[T]):
    """Names of one kind ("activation", "error", ...), each with what makes its record."""

    def __init__(self, kind: str) -> None:
        """Start empty; `kind` is the word that error messages use."""
        self.kind = kind
        self._makers: dict[str, Any] = {}
        self._builtin: set[str] = set()

    def builtin(self, name: str) -> Callable[[Maker], Maker]:
        """Decorate a record or record class: it answers to `name`, which users cannot redefine."""

        def add(maker: Maker) -> Maker:
            self._makers[name] = maker
            self._builtin.add(name)
            return maker

        return add

    def is_builtin(self, name: str) -> bool:
        """Return whether `name` is one of ours."""
        return name in self._builtin

    def add(self, name: str, maker: type[T] | T) -> None:
        """Register a user's record (or record class) under `name`; a user's name may be redefined.

        Raises
        ------
        InvalidValueError
            If `name` is no identifier or belongs to a built-in.
        """
        if not isinstance(name, str) or not name.isidentifier():
            message = f"a registered name is an identifier such as 'my_{self.kind}', got {name!r}"
            raise InvalidValueError(message)
        if name in self._builtin:
            message = f"{name!r} is a built-in {self.kind}; choose another name"
            raise InvalidValueError(message)
        self._makers[name] = maker

    def names(self) -> list[str]:
        """Return every registered name, sorted."""
        return sorted(self._makers)

    def make(self, name: str, parameters: Mapping[str, Any] | None = None) -> T:
        """Return the record of `name` with the given parameters.

        Raises
        ------
        UnknownNameError
            If nothing is registered under `name`.
        InvalidTypeError
            If the record takes no such parameters.
        """
        maker = self._makers.get(name)
        if maker is None:
            known = ", ".join(self.names())
            message = f"unknown {self.kind} {name!r}; known: {known}"
            if self.kind in OWN:
                message += ". Register your own first."
            raise UnknownNameError(message)
        parameters = dict(parameters or {})
        if isinstance(maker, type):
            try:
                record: T = maker(**parameters)
            except TypeError as problem:
                message = f"{self.kind} {name!r} does not take {parameters}: {problem}"
                raise InvalidTypeError(message) from problem
            return record
        if parameters:
            message = f"{self.kind} {name!r} takes no parameters, got {parameters}"
            raise InvalidTypeError(message)
        made: T = maker
        return made

    def parse(self, text: str) -> T:
        """Return the record spelled as `name`, `name(0.2)` or `name(slope=0.2)`."""
        if text in self._makers:
            return self.make(text)
        try:
            name, positional, named = _read_call(text)
        except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
            message = (
                f"cannot read {self.kind} {text[:60]!r}; write a name or name(parameter), "
                f"for example one of: {', '.join(self.names())}"
            )
            raise UnknownNameError(message) from None
        maker = self._makers.get(name)
        fields = (
            [field.name for field in dataclass_fields(maker)] if isinstance(maker, type) else []
        )
        given = [*zip(fields, positional, strict=False), *named]
        twice = len(dict(given)) < len(given)
        if maker is not None and (len(positional) > len(fields) or twice):
            takes = f"the parameters {', '.join(fields)}, once each" if fields else "no parameters"
            message = f"{self.kind} {name!r} takes {takes}; got {text!r}"
            raise InvalidTypeError(message)
        return self.make(name, dict(given))

    def text(self, record: T) -> str:
        """Return a record as `parse` reads it, or its repr if it is not registered."""
        try:
            spelled = self.spell(record)
        except UnknownNameError:
            return repr(record)
        name = str(spelled.pop("name"))
        fields = ", ".join(f"{field}={value!r}" for field, value in spelled.items())
        return f"{name}({fields})" if fields else name

    def spell(self, record: T) -> dict[str, Any]:
        """Return `{"name": ..., **parameters}` of a registered record, ready for JSON.

        Raises
        ------
        UnknownNameError
            If the record is not registered, so that it could not be made again.
        """
        for name, maker in self._makers.items():
            if maker is record or (not isinstance(maker, type) and maker == record):
                return {"name": name}
            if maker is type(record):
                return {"name": name, **asdict(record)}  # type: ignore[call-overload]  # a dataclass
        advice = f"use one of: {', '.join(self.names())}"
        if self.kind in OWN:
            advice = f"call lamina.register_{self.kind}(name, ...) first"
        message = (
            f"{self.kind} {record!r} is not registered, so it cannot be named in a file; {advice}"
        )
        raise UnknownNameError(message)


def _read_call(text: str) -> tuple[str, list[Any], list[tuple[str, Any]]]:
    """Return the name, the arguments and the named arguments of a call; nothing is executed."""
    tree = ast.parse(text.strip() if len(text) <= LONGEST else "", mode="eval").body
    if isinstance(tree, ast.Name):
        return tree.id, [], []
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name):
        raise SyntaxError  # noqa: TRY004 - one message for all that is no call
    positional = [ast.literal_eval(argument) for argument in tree.args]
    named = [(k.arg or "**", ast.literal_eval(k.value)) for k in tree.keywords]
    return tree.func.id, positional, named

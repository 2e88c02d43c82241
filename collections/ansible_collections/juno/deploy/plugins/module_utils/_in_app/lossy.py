# SPDX-FileCopyrightText: juno.deploy contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the app's own interpreter: what of a migration would be lost if it were applied and reversed.

Private to juno.deploy: no stable interface. See _in_app.manage for the limits of such a module.

Django's C(reversible) is about the schema: reversing RemoveField brings back an empty column.
"""

import importlib
import typing as t

_INTEGERS = ("SmallIntegerField", "IntegerField", "BigIntegerField")
_POSITIVE = ("PositiveSmallIntegerField", "PositiveIntegerField", "PositiveBigIntegerField")
_AUTO = ("SmallAutoField", "AutoField", "BigAutoField")
_TEXTS = ("CharField", "SlugField", "URLField", "EmailField", "FileField", "FilePathField", "TextField")
_TIMES = ("DateField", "DateTimeField")
_TRUTHS = ("BooleanField", "NullBooleanField")


def narrows(old: t.Any, new: t.Any) -> str:
    """Return why a field can't hold all that it held before; nothing where it can."""
    if old.many_to_many or new.many_to_many:
        return ""
    if old.null and not new.null:
        return "null to not null"
    kinds = (old.get_internal_type(), new.get_internal_type())
    if not _holds(*kinds):
        return f"{kinds[0]} to {kinds[1]}"
    if new.max_length and (old.max_length or 0) > new.max_length:
        return f"max_length {old.max_length} to {new.max_length}"
    if kinds[0] == "DecimalField":
        was, now = ((one.max_digits, one.decimal_places) for one in (old, new))
        if now[1] < was[1] or now[0] - now[1] < was[0] - was[1]:
            return f"{was[0]} digits with {was[1]} places to {now[0]} with {now[1]}"
    return ""


def _holds(old: str, new: str) -> bool:
    """Return whether the second type holds all that the first does."""
    if old == new or {old, new} <= set(_TRUTHS) or (old, new) == _TIMES:
        return True
    if old in _TEXTS and new in _TEXTS:
        return old != "TextField"
    sizes = {name: at for line in (_INTEGERS, _POSITIVE, _AUTO) for at, name in enumerate(line)}
    if old not in sizes or new not in sizes or (old in _INTEGERS and new in _POSITIVE):
        return False
    # A positive integer takes no more room than the integer of its size.
    return sizes[old] <= sizes[new]


def _field(state: t.Any, app: str, operation: t.Any) -> t.Any:
    """Return a field as it is before an operation; nothing where it can't be found."""
    model = state.models.get((app, operation.model_name.lower())) if state else None
    # A list of pairs up to Django 3.0, then a dictionary.
    return dict(model.fields).get(operation.name) if model else None


def _has_no_table(state: t.Any, app: str, name: str) -> bool:
    model = state.models.get((app, name.lower())) if state else None
    options = model.options if model else {}
    return bool(options.get("proxy")) or not options.get("managed", True)


def _loss(operation: t.Any, app: str, state: t.Any) -> str:
    """Return what an operation loses, or may lose."""
    kinds = importlib.import_module("django.db.migrations.operations")
    name = type(operation).__name__
    if isinstance(operation, kinds.RemoveField):
        return f"{name} {app}.{operation.model_name}.{operation.name}"
    if isinstance(operation, kinds.DeleteModel):
        return "" if _has_no_table(state, app, operation.name) else f"{name} {app}.{operation.name}"
    if isinstance(operation, kinds.AlterField):
        old = _field(state, app, operation)
        why = narrows(old, operation.field) if old is not None else "from what is not known"
        return f"{name} {app}.{operation.model_name}.{operation.name} ({why})" if why else ""
    if isinstance(operation, kinds.AlterOrderWithRespectTo):
        return "" if operation.order_with_respect_to else f"{name} {app}.{operation.name}"
    if isinstance(operation, (kinds.RunPython, kinds.RunSQL)):
        known = operation.reverse_code if isinstance(operation, kinds.RunPython) else operation.reverse_sql
        nothing = kinds.RunPython.noop if isinstance(operation, kinds.RunPython) else kinds.RunSQL.noop
        if known is None or known == nothing or known == []:
            return ""  # it can't be reversed, which is told apart; or to reverse it changes nothing
        return f"{name} whose reverse is of unknown meaning"
    return (
        ""
        if type(operation).__module__.startswith("django.")
        else f"{name}, which is not Django's, and of unknown meaning"
    )


def lossy(migration: t.Any, state: t.Any) -> "list[str]":
    """List what a migration loses; C(state) is the project's before it, and is after it in the end."""
    app, found = migration.app_label, []
    for operation in migration.operations:
        inner = getattr(operation, "database_operations", None)
        if inner is None:
            found.append(_loss(operation, app, state))
        else:
            found += _inner(inner, app, state.clone() if state else None)
        if state:
            operation.state_forwards(app, state)
    return [one for one in found if one]


def _inner(operations: "t.Iterable[t.Any]", app: str, state: t.Any) -> "list[str]":
    """List what the database's part of an operation loses."""
    found = []
    for operation in operations:
        found.append(_loss(operation, app, state))
        if state:
            operation.state_forwards(app, state)
    return found


def demands(migration: t.Any) -> "list[str]":
    """Name the columns that a migration adds and code from before it can't fill: Django's default isn't the table's."""
    kinds = importlib.import_module("django.db.migrations.operations")
    nothing = importlib.import_module("django.db.models.fields").NOT_PROVIDED
    operations = [
        inner
        for operation in migration.operations
        for inner in getattr(operation, "database_operations", None) or [operation]
    ]
    added = [one for one in operations if isinstance(one, kinds.AddField)]
    return [
        f"{migration.app_label}.{one.model_name}.{one.name}"
        for one in added
        if not (one.field.null or one.field.many_to_many or one.field.primary_key)
        and getattr(one.field, "db_default", nothing) is nothing
        and not getattr(one.field, "generated", False)
    ]

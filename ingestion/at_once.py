"""For migrations: many operations on one state."""

from collections.abc import Sequence
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import SeparateDatabaseAndState
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class AtOnce(SeparateDatabaseAndState):
    """Operations of which each may find all others done, as those that make tables may.

    After each operation Django renders anew every model that is related to what it changed, in the end all of them; here they
    are rendered once.
    """

    def __init__(self, operations: Sequence[Operation]) -> None:
        super().__init__(database_operations=operations, state_operations=operations)

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        """How a migration writes it."""
        return self.__class__.__qualname__, [self.database_operations], {}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Change the state; what was rendered of it is forgotten."""
        vars(state).pop("apps", None)
        super().state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Do all of them."""
        for operation in self.database_operations:
            operation.database_forwards(app_label, schema_editor, to_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        """Undo all of them."""
        for operation in reversed(self.database_operations):
            operation.database_backwards(app_label, schema_editor, from_state, from_state)

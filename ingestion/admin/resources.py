"""What imports and exports share: rows go through the service of their thing, and a bad one is a sentence."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS
from django.db.models import Model, QuerySet
from django.utils.html import format_html
from django.utils.safestring import SafeString
from import_export.exceptions import ImportError as ImportRefused
from import_export.resources import Diff, ModelResource
from import_export.results import Result, RowResult
from import_export.widgets import Widget

from ingestion.audit_log import record_event
from ingestion.changes import Change, told_as_one
from ingestion.spreadsheets import plain, quoted, restored
from ingestion.suggestion import nearest, nearest_end

Row = dict[str, str]


class TextWidget(Widget):
    """A text; empty for nothing."""

    def clean(self, value: Any, row: Row | None = None, **_: object) -> Any:  # noqa: ANN401
        """The text as it was before a spreadsheet was kept from running it."""
        return restored(value or "")

    def render(self, value: Any, obj: Model | None = None, **_: object) -> str:  # noqa: ANN401
        """A text that no spreadsheet runs."""
        return quoted(value)


class TruthWidget(TextWidget):
    """true or false; empty for neither."""

    def clean(self, value: Any, row: Row | None = None, **_: object) -> bool | None:  # noqa: ANN401
        """The truth."""
        known = {"true": True, "false": False, "": None}
        text = (value or "").strip().lower()
        if text not in known:
            raise ValueError(f"{value!r} is neither true nor false. Write true or false.")
        return known[text]


class DayWidget(TextWidget):
    """An ISO date."""

    def clean(self, value: Any, row: Row | None = None, **_: object) -> dt.date:  # noqa: ANN401
        """The date."""
        try:
            return dt.date.fromisoformat((value or "").strip())
        except ValueError:
            raise ValueError(f"{value!r} is no date. Write it as 2026-12-25.") from None


class CodeWidget(TextWidget):
    """Another thing, by its code."""

    by_code: dict[str, Any] | None

    def __init__(self, model: type[Model]) -> None:
        super().__init__()
        self.name = model._meta.verbose_name
        self.known_to(model._default_manager.all())

    def known_to(self, things: QuerySet[Any]) -> None:
        """Narrow what may be named; the query runs once an import."""
        self.things, self.by_code = things, None

    def clean(self, value: Any, row: Row | None = None, **_: object) -> Model:  # noqa: ANN401
        """The thing."""
        if self.by_code is None:
            self.by_code = {it.code: it for it in self.things.all()}
        if value not in self.by_code:
            raise ValueError(f"there is no {self.name} {value!r}{nearest(value or '', self.by_code)}")
        return self.by_code[value]

    def render(self, value: Any, obj: Model | None = None, **_: object) -> str:  # noqa: ANN401
        """The code."""
        return quoted(value.code) if value else ""


class Told(Result):
    """The result of an import, its faults told as sentences; rows are counted as a spreadsheet does."""

    @property
    def faults(self) -> list[str]:
        """A sentence for each fault, in the order of the rows."""
        told = [(0, str(fault.error)) for fault in self.base_errors]
        told += [(row.number, str(fault.error)) for row in self.error_rows for fault in row.errors]
        told += [(row.number, sentence) for row in self.invalid_rows for sentence in sentences(row.error_dict)]
        return [f"Row {number + 1}, {text}" if number else text for number, text in sorted(told, key=lambda it: it[0])]


def tell_of_import(result: Result, name: object, user: Any, *, action: str) -> None:  # noqa: ANN401
    """One event for a file that wrote something; a dry run takes it back with the rest."""
    new, changed = (result.totals[kind] for kind in (RowResult.IMPORT_TYPE_NEW, RowResult.IMPORT_TYPE_UPDATE))
    if new or changed:
        record_event(action, of="file", by=user, name=f"import of {name}", after={"new": new, "changed": changed})


def sentences(errors: dict[str, Sequence[str]]) -> Iterator[str]:
    """`field: what is wrong` for each fault of a row."""
    for field, texts in errors.items():
        for text in texts:
            yield text if field == NON_FIELD_ERRORS else f"{field}: {text}"


class BeforeAndAfter(Diff):
    """The values of a row before and after, without a style attribute, which our pages forbid."""

    def as_html(self) -> list[SafeString]:
        """One cell per column."""
        pairs = zip(self.left, self.right, strict=True)
        return [cell("" if self.new else before, after) for before, after in pairs]


def cell(before: object, after: object) -> SafeString:
    """A value, or what it was and becomes."""
    was, becomes = plain(before), plain(after)
    if was == becomes or not was:
        return format_html("{}", becomes)
    return format_html("<del>{}</del> <ins>{}</ins>", was, becomes)


def column_faults(given: Sequence[str], needed: Iterable[str], known: Iterable[str]) -> list[str]:
    """Columns that nobody knows, stand twice, or are missing."""
    known = list(known)
    faults = [f"There is no column {name!r}{nearest_end(name, known)}" for name in given if name not in known]
    faults += [f"Column {name!r} stands twice." for name in dict.fromkeys(given) if list(given).count(name) > 1]
    return faults + [f"Column {name!r} is missing; every row needs it." for name in needed if name not in given]


class ServiceResource(ModelResource):
    """Rows that are found by `import_id_fields`; `write` gives one to its service. Unchanged rows are left alone."""

    class Meta:
        skip_unchanged = True
        report_skipped = True
        clean_model_instances = True

    needed: tuple[str, ...] = ()
    told_as = "setup.changed"  # of the audit log

    def __init__(self, user: Any = None, **kwargs: object) -> None:  # noqa: ANN401
        super().__init__(**kwargs)
        self.user = user
        self.seen: dict[tuple[str, ...], int] = {}

    @classmethod
    def get_result_class(cls) -> type[Result]:
        """Faults as sentences."""
        return Told

    @classmethod
    def get_diff_class(cls) -> type[Diff]:
        """Values before and after."""
        return BeforeAndAfter

    def write(self, instance: Any) -> list[Change]:  # noqa: ANN401
        """Give a row to the service that alone writes its thing."""
        raise NotImplementedError

    def stored(self, instance: Any) -> QuerySet[Any]:  # noqa: ANN401
        """Where the written row is."""
        raise NotImplementedError

    def import_data(self, *args: Any, **kwargs: Any) -> Result:  # noqa: ANN401
        """A file is one event of the audit log."""
        with told_as_one():
            return super().import_data(*args, **kwargs)

    def after_import(self, dataset: Any, result: Result, **kwargs: Any) -> None:  # noqa: ANN401
        """Tell of what was written, in its transaction."""
        super().after_import(dataset, result, **kwargs)
        tell_of_import(result, self._meta.model._meta.verbose_name_plural, self.user, action=self.told_as)

    def before_import(self, dataset: Any, **kwargs: object) -> None:  # noqa: ANN401
        """Refuse a file whose columns are wrong before any row is looked at."""
        known = [field.column_name for field in self.get_import_fields()]
        if faults := column_faults(dataset.headers, self.needed, known):
            del dataset[:]
            raise ImportRefused(" ".join(faults))

    def before_import_row(self, row: Row, **kwargs: Any) -> None:  # noqa: ANN401
        """Refuse a row that an earlier one of the same file already speaks for."""
        key = tuple(row[self.fields[name].column_name] for name in self.get_import_id_fields())
        first = self.seen.setdefault(key, kwargs["row_number"])
        if first != kwargs["row_number"]:
            raise ImportRefused(f"{', '.join(key)} stands in row {first + 1} already. Keep one of the two.")

    def do_instance_save(self, instance: Any, is_create: bool) -> None:  # noqa: ANN401, FBT001
        """Through the service."""
        self.write(instance)
        instance.pk = self.stored(instance).values_list("pk", flat=True).get()

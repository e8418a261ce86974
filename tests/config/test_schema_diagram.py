"""docs/schema.md shows the models as they are."""

from pathlib import Path

from django.conf import settings

from config.schema_diagram import schema_markdown, updated


def test_the_diagram_is_current() -> None:
    document = (Path(settings.BASE_DIR) / "docs" / "schema.md").read_text(encoding="utf-8")
    assert updated(document) == document, "Run `manage.py schema`."


def test_it_names_tables_columns_and_references() -> None:
    made = schema_markdown()
    assert 'Break ||--o{ Member : "brk"' in made
    assert "bigint break_id FK" in made
    assert "        bigint id PK\n" in made

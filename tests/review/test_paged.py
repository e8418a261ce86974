"""A list by pages: each row stands on one of them, and the last one leads nowhere."""

import pytest
from django.test import RequestFactory

from ingestion.models import Calendar
from review.pages.paged import page_of


@pytest.mark.django_db
@pytest.mark.parametrize(("rows", "sizes"), [(0, [0]), (2, [2]), (4, [2, 2]), (5, [2, 2, 1])])
def test_pages_follow_each_other_and_end(rows: int, sizes: list[int], rf: RequestFactory) -> None:
    made = [Calendar.objects.create(code=f"c{number}") for number in range(rows)]
    found, before, walked = list[Calendar](), "", list[int]()
    while before is not None:
        page, following = page_of(rf.get("/", {"before": before}), Calendar.objects.order_by("-pk"), 2)
        found, walked = [*found, *page], [*walked, len(page)]
        before = None if following is None else str(following)
    assert found == made[::-1] and walked == sizes

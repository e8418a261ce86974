"""The Sankey's geometry: nodes are filled by their bands, exceptions are to scale, what would drown them is cut and marked."""

from review.rates import panels
from review.sankey import HIGH, THINNEST, sankey

ORDER = (("a", "b"), ("matched", "differing", "gate"), ("stored", "in_review"))


def test_bands_fill_their_nodes_and_what_drowns_is_cut() -> None:
    drawn = sankey(
        {("a", "matched", "stored"): 1_000_000, ("b", "matched", "stored"): 999_000, ("a", "differing", "stored"): 300,
         ("b", "differing", "in_review"): 100, ("a", "gate", "in_review"): 0},
        ORDER, ("matched",),
    )  # fmt: skip
    rows = {node.name: node.rows for node in drawn.nodes}
    assert rows == {
        "a": 1_000_300,
        "b": 999_100,
        "matched": 1_999_000,
        "differing": 400,
        "stored": 1_999_300,
        "in_review": 100,
    }
    for node in drawn.nodes:
        assert abs(max(node.left, node.right) - node.drawn) < 0.01 and 0 <= node.y <= node.y + node.drawn <= HIGH
    bands = {(it.source.name, it.target.name): it for it in drawn.bands}
    assert bands["a", "matched"].is_cut and bands["a", "matched"].cut and not bands["a", "differing"].is_cut
    assert abs(bands["a", "differing"].drawn / bands["b", "differing"].drawn - 3) < 0.01  # to scale
    assert abs(bands["a", "matched"].drawn / bands["b", "differing"].drawn - 4) < 0.01  # no wider than all exceptions


def test_nothing_and_one_row_can_be_drawn() -> None:
    assert sankey({}, ORDER, ("matched",)).nodes == []
    one = sankey({("a", "matched", "stored"): 1}, ORDER, ("matched",))
    assert not one.is_cut and all(it.drawn >= THINNEST for it in one.bands)


def test_rates_have_an_axis_of_their_own_and_leave_out_what_has_none() -> None:
    stp, unknown = panels([4, 5, 6], (("STP", [0.5, None, 0.9]), ("UNKNOWN", [0.0, 0.0, 0.0])))
    assert [(it.run, it.told) for it in stp.points] == [(4, "50.0 %"), (6, "90.0 %")]
    assert float(stp.points[0].y) > float(stp.points[1].y) and unknown.last.told == "0.0 %"
    assert panels([1], (("STP", [None]), ("UNKNOWN", [None]))) == []

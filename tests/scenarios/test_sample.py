"""The sample district is sound, says where its figures come from, and is documented."""

import csv
import math
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from chubei_allocation.posts.rules import chain
from chubei_allocation.response import rules
from chubei_cli import seeding_response
from chubei_cli.cells import PROVENANCES
from chubei_cli.district import District, check_district, group_members, people_of, share_out
from chubei_cli.district_rows import TABLES, About
from chubei_cli.validate import coverage_of, provenance_counts
from chubei_shared.contracts.response import Stage
from hypothesis import given
from hypothesis import strategies as st


def test_the_sample_has_no_fault(sample: Path) -> None:
    assert [str(fault) for fault in check_district(sample)] == []


def test_it_is_a_district_of_some_size(district: District) -> None:
    assert len(district.subdistricts) == 15
    assert len(district.shelters) >= 30
    assert len(district.stores) == 3
    assert len(district.catalogue) >= 30
    assert {item.family for item in district.catalogue} == {"relief", "daily", "medicine", "flood"}
    assert {shelter.kit for shelter in district.shelters} == {"indoor", "outdoor"}
    assert district.agreements
    assert district.commitments
    assert district.funds


@pytest.mark.parametrize("file", TABLES)
def test_every_row_says_where_it_is_from(sample: Path, file: str) -> None:
    with (sample / file).open(encoding="utf-8", newline="") as source:
        rows = list(csv.DictReader(source))
    assert rows
    for row in rows:
        assert {row[c] for c in row if c.endswith("provenance") and row[c]} <= set(PROVENANCES)
        words = [c for c in row if c.endswith("provenance") and row[c]]
        assert words
        assert all(
            row[column.replace("provenance", "source")] for column in words if column != "capacity_provenance"
        )


def test_every_kind_of_provenance_is_used(district: District) -> None:
    counts = provenance_counts(district)
    assert set(counts) == set(PROVENANCES)


def test_what_is_invented_says_so(district: District) -> None:
    """Nobody may take a fictional store, supplier or shelter for a real one."""
    for site in (*district.stores, *district.suppliers, *district.makers):
        assert site.name_zh.startswith("示例")
        assert site.name_en.startswith("Example")
        assert site.provenance == "invented"
    for post in district.posts:
        assert post.name_zh.startswith("示例")
    for shelter in district.shelters:
        assert (shelter.provenance == "invented") == shelter.name_zh.startswith("示例")


def test_licences_are_honoured(district: District, sample: Path) -> None:
    assert "OpenStreetMap" in district.about.attribution_zh
    assert "ODbL" in district.about.attribution_en
    assert "OpenStreetMap contributors" in (sample / "README.md").read_text(encoding="utf-8")


def test_the_readme_names_every_column(sample: Path) -> None:
    readme = (sample / "README.md").read_text(encoding="utf-8")
    for file, table in TABLES.items():
        assert file in readme
        for column in fields(table.row_type):
            assert f"`{column.name}`" in readme, f"{file}: {column.name}"
    for setting in fields(About):
        assert setting.name.rsplit("_", 1)[-1] in readme


def test_everyone_of_the_duty_has_a_shelter(district: District) -> None:
    people = people_of(district)
    assert sum(people.values()) == 11_063
    for shelter in district.shelters:
        if shelter.status == "candidate":
            assert people[shelter.id] == 0
        else:
            assert 0 < people[shelter.id] <= shelter.capacity
    for by_shelter in group_members(district, people).values():
        assert all(0 <= number <= people[shelter] for shelter, number in by_shelter.items())


def test_an_item_has_lots_of_several_ages(district: District) -> None:
    """First expired, first out must have something to choose from."""
    water = [lot for lot in district.lots if lot.item == "1020101" and lot.store == district.stores[0].id]
    assert len({lot.expires_in_days for lot in water}) >= 3


def test_lots_live_no_longer_than_their_kind(district: District) -> None:
    life = {item.code: item.shelf_life_months for item in district.catalogue}
    for lot in district.lots:
        assert lot.made_days_ago + lot.expires_in_days <= math.ceil(life[lot.item] * 30.4375), lot


def test_the_hutongs_take_small_vehicles_only(district: District) -> None:
    names = {s.code: s.name_zh for s in district.subdistricts}
    lanes = {names[s.subdistrict] for s in district.shelters if s.max_size == 0}
    assert lanes == {"大栅栏街道", "椿树街道", "什刹海街道", "新街口街道", "天桥街道"}
    assert {vehicle.size for vehicle in district.fleet} == {0, 1, 2}


def test_every_stage_has_a_duty_at_every_level(district: District) -> None:
    plan = seeding_response.response_plan(district)
    assert plan is not None
    for level in (1, 2, 3, 4):
        assert {duty.stage for duty in rules.called_for(plan.duties, level)} == set(Stage)


def test_posts_come_after_the_one_above_and_all_lead_to_the_top(district: District) -> None:
    posts = list(seeding_response.posts(district))
    above = {post.id: post.escalates_to for post in posts}
    assert len(posts) == len(district.posts)
    seen: set[str | None] = {None}
    for post in posts:
        assert post.escalates_to in seen
        seen.add(post.id)
        assert post.id == "DISTRICT-LEADER" or list(chain(above, post.id))[-1] == "DISTRICT-LEADER"


def test_basic_relief_is_covered_and_settling_only_in_part(district: District) -> None:
    rows = coverage_of(district)
    assert {row.share for row in rows if row.tier == 1} == {1.0}
    assert min(row.share for row in rows if row.tier == 2) < 1.0


@given(
    total=st.integers(0, 10**7),
    weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=40).filter(any),
)
def test_shares_are_whole_sum_exactly_and_are_within_one_of_their_due(total: int, weights: list[int]) -> None:
    shares = share_out(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share * sum(weights) - total * weight) < sum(weights)
        assert weight or not share


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (3, [2, -1])])
def test_shares_of_nothing_are_refused(total: int, weights: list[int]) -> None:
    with pytest.raises(ValueError, match="share_out needs"):
        share_out(total, weights)


def test_the_scenario_of_the_sample_is_whole(build_scenario: Any, district: District) -> None:
    scenario = build_scenario(district)
    assert sum(point["people"] for point in scenario["points"]) == 11_063
    places = [node["id"] for node in (*scenario["sources"], *scenario["points"])]
    assert len(places) == len(set(places))
    rows = [(row["source"], row["item"]) for row in scenario["supply"]]
    assert len(rows) == len(set(rows))

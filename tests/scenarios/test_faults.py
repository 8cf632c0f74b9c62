"""What a person gets wrong in a spreadsheet is found, named by file, row and column, and can be mended."""

import csv
import io
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import typer
from chubei_cli.district import DistrictFaulty, Fault, check_district, load_district
from chubei_cli.district_rows import TABLES
from chubei_cli.validate import validate
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result


@pytest.fixture
def folder(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sample, tmp_path / "district"))


def records(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.reader(source))


def write(path: Path, rows: list[list[str]]) -> None:
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows(rows)
    path.write_text(target.getvalue(), encoding="utf-8")


def put(folder: Path, file: str, row: int, column: str, cell: str) -> None:
    """Write a cell as a person would: `row` as the spreadsheet numbers it."""
    rows = records(folder / file)
    rows[row - 1][rows[0].index(column)] = cell
    write(folder / file, rows)


def places(faults: list[Fault]) -> list[tuple[str, int | None, str | None]]:
    return [(fault.file, fault.row, fault.column) for fault in faults]


CELLS = [
    ("stores.csv", 3, "load_kg_per_min", "fast", "not a whole number"),
    ("stores.csv", 3, "load_kg_per_min", "", "empty"),
    ("stores.csv", 3, "load_kg_per_min", "70.5", "decimal point"),
    ("stores.csv", 3, "load_kg_per_min", "70.0", "decimal point"),
    ("stores.csv", 3, "load_kg_per_min", "0", "out of range"),
    ("stores.csv", 3, "load_kg_per_min", "-70", "negative"),
    ("stores.csv", 3, "load_kg_per_min", "７０", "plain digits"),
    ("stores.csv", 3, "load_kg_per_min", "nan", "not a whole number"),
    ("stores.csv", 3, "load_kg_per_min", "70 kg", "unit"),
    ("stores.csv", 3, "docks", "0:0;40:one", "no number of docks"),
    ("stores.csv", 3, "docks", "0:0;90:1;40:2", "minutes rising"),
    ("stores.csv", 3, "docks", "40:1", "no number of docks"),
    ("stores.csv", 3, "docks", "1:2:3", "no number of docks"),
    ("stores.csv", 3, "lon", "39.9", "off the map"),
    ("stores.csv", 3, "lat", "north", "not a number"),
    ("stores.csv", 3, "id", "中库", "letters, digits"),
    ("lots.csv", 9, "quantity", "1,200", "thousands"),
    ("lots.csv", 9, "quantity", "1.2E+03", "plain number"),
    ("lots.csv", 9, "quantity", "=SUM(A1:A3)", "formula"),
    ("lots.csv", 9, "quantity", "#REF!", "formula failed"),
    ("lots.csv", 9, "made_days_ago", "2026-03-01", "is a date"),
    ("lots.csv", 9, "made_days_ago", "2026/3/1", "is a date"),
    ("lots.csv", 9, "made_days_ago", "-3", "negative"),
    ("lots.csv", 9, "expires_in_days", "0", "out of range"),
    ("lots.csv", 9, "store", "STORE-X", "does not stand in stores.csv"),
    ("lots.csv", 9, "item", "1999999", "does not stand in catalogue.csv"),
    ("lots.csv", 9, "maker", "@cmd", "formula"),
    ("agreements.csv", 4, "valid_for_days", "2027-12-31", "relative to the day of seeding"),
    ("agreements.csv", 4, "supplier", "", "stands in suppliers.csv"),
    ("catalogue.csv", 5, "code", "101010", "7 digits"),
    ("catalogue.csv", 5, "code", "1.01E+06", "7 digits"),
    ("catalogue.csv", 5, "family", "food", "relief | daily"),
    ("catalogue.csv", 5, "reserve_modes", "physical,contract", "physical | contract"),
    ("catalogue.csv", 5, "reserve_modes", "physical;physical", "twice"),
    ("catalogue.csv", 5, "returnable", "maybe", "yes | no"),
    ("catalogue.csv", 5, "pack", "0", "out of range"),
    ("catalogue.csv", 5, "provenance", "", "verified | estimated | invented"),
    ("catalogue.csv", 5, "provenance", "guessed", "verified | estimated | invented"),
    ("catalogue.csv", 5, "source", "", "empty"),
    ("kit_needs.csv", 2, "per_person", "0", "above 0"),
    ("kit_needs.csv", 2, "per_person", "3/4/26", "is a date"),
    ("kit_needs.csv", 2, "tier", "3", "out of range"),
    ("kit_needs.csv", 2, "group", "elders", "does not stand in groups.csv"),
    ("shelters.csv", 7, "subdistrict", "110101001", "does not stand in subdistricts.csv"),
    ("shelters.csv", 7, "kit", "winter", "does not stand in kits.csv"),
    ("shelters.csv", 7, "capacity_provenance", "", "empty"),
    ("fleet.csv", 2, "start", "DEPOT", "does not stand in stores.csv / suppliers.csv / makers.csv"),
    ("fleet.csv", 2, "speed_factor", "0", "above 0"),
    ("fund_purchases.csv", 2, "fund", "FUND-X", "does not stand in funds.csv"),
    ("posts.csv", 3, "escalates_to", "NOBODY", "does not stand in posts.csv"),
    ("authority.csv", 2, "approvers", "3", "out of range"),
    ("authority.csv", 2, "modes", "magic", "physical | contract"),
    ("duties.csv", 2, "post", "NOBODY", "does not stand in posts.csv"),
    ("duties.csv", 2, "stage", "panic", "alarm | assess"),
    ("duties.csv", 2, "from_level", "5", "out of range"),
    ("people.csv", 2, "duty", "cook", "keeper | loader"),
    ("people.csv", 2, "place", "NOWHERE", "does not stand in stores.csv"),
    ("people.csv", 2, "phone", "call me", "telephone number"),
]


@pytest.mark.parametrize(("file", "row", "column", "cell", "says"), CELLS)
def test_a_wrong_cell_is_named(folder: Path, file: str, row: int, column: str, cell: str, says: str) -> None:
    put(folder, file, row, column, cell)
    found = [f for f in check_district(folder) if (f.file, f.row, f.column) == (file, row, column)]
    assert len(found) == 1
    assert says in f"{found[0].problem.en} {found[0].remedy.en}"
    assert found[0].problem.zh
    assert found[0].remedy.zh


def test_a_wrong_cell_is_the_only_complaint(folder: Path) -> None:
    """One slip draws one fault, not a second one about the rows that refer to it or a sum that is off."""
    put(folder, "subdistricts.csv", 3, "residents", "many")
    put(folder, "stores.csv", 2, "lon", "x")
    assert places(check_district(folder)) == [
        ("subdistricts.csv", 3, "residents"),
        ("stores.csv", 2, "lon"),
    ]


def test_what_is_missing_everywhere_is_said_once(folder: Path) -> None:
    put(folder, "stores.csv", 3, "id", "STORE-X")
    found = check_district(folder)
    assert {fault.file for fault in found} == {"lots.csv", "fleet.csv", "people.csv"}
    assert len(found) == 3
    assert "'STORE-C' does not stand in stores.csv (" in found[0].problem.en


def test_all_faults_are_found_at_once(folder: Path) -> None:
    slips = [(file, row, column) for file, row, column, _, _ in CELLS]
    for file, row, column, cell, _ in CELLS:
        put(folder, file, row, column, cell)
    (folder / "groups.csv").unlink()
    assert set(places(check_district(folder))) >= {
        *set(slips) - {("kit_needs.csv", 2, "group")},
        ("groups.csv", None, None),
    }


@pytest.mark.parametrize("file", TABLES)
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert places(check_district(folder)) == [(file, None, None)]


@pytest.mark.parametrize("file", TABLES)
def test_a_missing_and_an_unknown_column_are_named(folder: Path, file: str) -> None:
    rows = records(folder / file)
    lost = rows[0][-1]
    rows[0][-1] = "remark"
    write(folder / file, rows)
    assert places(check_district(folder)) == [(file, 1, "remark"), (file, 1, lost)]


def test_a_column_that_stands_twice_is_named(folder: Path) -> None:
    rows = records(folder / "kits.csv")
    write(folder / "kits.csv", [[*row, row[0]] for row in rows])
    assert places(check_district(folder)) == [("kits.csv", 1, "code")]


def test_a_file_by_an_unknown_name_is_named(folder: Path) -> None:
    shutil.copy(folder / "lots.csv", folder / "lots (1).csv")
    assert places(check_district(folder)) == [("lots (1).csv", None, None)]


@pytest.mark.parametrize(
    ("file", "key"),
    [
        ("subdistricts.csv", "code"),
        ("groups.csv", "code"),
        ("catalogue.csv", "code"),
        ("kits.csv", "code"),
        ("kit_needs.csv", "kit+item"),
        ("shelters.csv", "id"),
        ("street_stock.csv", "shelter+item"),
        ("lots.csv", "store+item+lot_no"),
        ("agreements.csv", "supplier+item"),
        ("commitments.csv", "maker+item"),
        ("funds.csv", "id"),
        ("fund_purchases.csv", "delivered_to+item"),
        ("fleet.csv", "type"),
        ("posts.csv", "id"),
        ("authority.csv", "id"),
        ("duties.csv", "id"),
        ("people.csv", "id"),
    ],
)
def test_a_row_that_stands_twice_is_named(folder: Path, file: str, key: str) -> None:
    rows = records(folder / file)
    write(folder / file, [*rows, rows[2]])
    found = [f for f in check_district(folder) if (f.file, f.row, f.column) == (file, len(rows) + 1, key)]
    assert len(found) == 1
    assert f"{file}:3" in found[0].problem.en


def test_places_share_one_set_of_ids(folder: Path) -> None:
    put(folder, "makers.csv", 2, "id", "STORE-N")
    assert ("makers.csv", 2, "id") in places(check_district(folder))


ENCODINGS: list[tuple[str, Callable[[str], bytes], str]] = [
    ("GBK", lambda text: text.replace("©", "").encode("gbk"), "GBK"),
    ("UTF-16", lambda text: text.encode("utf-16"), "UTF-16"),
]


@pytest.mark.parametrize(("name", "encode", "says"), ENCODINGS, ids=[name for name, _, _ in ENCODINGS])
@pytest.mark.parametrize("file", ["shelters.csv", "district.yaml"])
def test_other_encodings_are_named(
    folder: Path, file: str, name: str, encode: Callable[[str], bytes], says: str
) -> None:
    path = folder / file
    path.write_bytes(encode(path.read_text(encoding="utf-8")))
    found = check_district(folder)
    assert places(found) == [(file, None, None)]
    assert says in found[0].problem.en
    assert "UTF-8" in found[0].remedy.en


@pytest.mark.parametrize(("mark", "says"), [(";", "semicolons"), ("\t", "tabs")])
def test_other_separators_are_named(folder: Path, mark: str, says: str) -> None:
    path = folder / "groups.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(",", mark), encoding="utf-8")
    found = check_district(folder)
    assert places(found) == [("groups.csv", 1, None)]
    assert says in found[0].problem.en


def test_a_byte_order_mark_windows_lines_and_blank_rows_are_fine(folder: Path) -> None:
    for file in TABLES:
        path = folder / file
        text = path.read_text(encoding="utf-8").replace("\n", "\r\n")
        path.write_bytes(("\ufeff" + text + "\r\n,,\r\n\r\n").encode())
    assert check_district(folder) == []


def test_rows_are_numbered_as_the_spreadsheet_numbers_them(folder: Path) -> None:
    """A line break inside a cell is one row; a blank row counts."""
    rows = records(folder / "groups.csv")
    rows[1][rows[0].index("source")] = "two\nlines"
    rows[2][rows[0].index("share")] = "x"
    write(folder / "groups.csv", [rows[0], rows[1], [], rows[2]])
    assert places(check_district(folder)) == [("groups.csv", 4, "share")]


@pytest.mark.parametrize("content", ["", "\n", '"code,name_zh\n', "\x00"])
def test_what_is_no_table_at_all_is_named(folder: Path, content: str) -> None:
    (folder / "kits.csv").write_text(content, encoding="utf-8")
    assert {fault.file for fault in check_district(folder)} == {"kits.csv"}


def test_a_comma_too_many_is_named(folder: Path) -> None:
    path = folder / "groups.csv"
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], lines[1] + ",more", *lines[2:]]), encoding="utf-8")
    assert places(check_district(folder)) == [("groups.csv", 2, None)]


YAML = [
    ("residents: 1106214", "residents: many", "residents"),
    ("residents: 1106214", "residents: -5", "residents"),
    ("deadline_min: 720", "deadline_min: 12.5", "deadline_min"),
    ("  speed_kmh: 12", "  speed_kmh: 0", "travel_speed_kmh"),
    ("deadline_min: 720", "deadline_minutes: 720", "deadline_minutes"),
    ("deadline_min: 720", "deadline_min: 720\ndeadline_min: 600", "deadline_min"),
    ("deadline_min: 720", "deadline_min: [720]", "deadline_min"),
    ("deadline_min: 720", "deadline_min: 720: 5", None),
    ("residents_provenance: verified", "residents_provenance: sure", "residents_provenance"),
]


@pytest.mark.parametrize(("line", "slip", "column"), YAML)
def test_a_wrong_setting_is_named_with_its_line(
    folder: Path, line: str, slip: str, column: str | None
) -> None:
    path = folder / "district.yaml"
    text = path.read_text(encoding="utf-8")
    number = text[: text.index(line)].count("\n") + 1 + slip.count("\n")
    path.write_text(text.replace(line, slip), encoding="utf-8")
    found = check_district(folder)
    assert ("district.yaml", number, column) in places(found)


@pytest.mark.parametrize(
    "content",
    ["", "- a\n- b\n", "text", "a: {b: {c: [1]}}", "? [1]\n: 2\n", "a: &a {b: *a}", "[" * 5000, "a: \x07"],
)
def test_settings_of_another_shape_are_faults_not_a_crash(folder: Path, content: str) -> None:
    (folder / "district.yaml").write_text(content, encoding="utf-8")
    assert {fault.file for fault in check_district(folder)} == {"district.yaml"}


@pytest.mark.parametrize("file", TABLES)
def test_only_some_tables_may_be_empty(folder: Path, file: str) -> None:
    write(folder / file, records(folder / file)[:1])
    faults = [fault for fault in check_district(folder) if fault.file == file]
    assert places(faults) == ([] if TABLES[file].may_be_empty else [(file, None, None)])


@given(file=st.sampled_from([*TABLES, "district.yaml"]), content=st.binary(max_size=200))
@settings(max_examples=60, deadline=None)
def test_whatever_a_file_holds_the_answer_is_a_list_of_faults(
    sample: Path, file: str, content: bytes
) -> None:
    with TemporaryDirectory() as parent:
        folder = Path(shutil.copytree(sample, Path(parent) / "district"))
        (folder / file).write_bytes(content)
        assert file in {fault.file for fault in check_district(folder)}


def test_residents_must_add_up(folder: Path) -> None:
    put(folder, "subdistricts.csv", 2, "residents", "41201")
    assert places(check_district(folder)) == [("subdistricts.csv", None, "residents")]


def test_each_sub_district_must_have_room(folder: Path) -> None:
    put(folder, "shelters.csv", 2, "capacity", "5")
    assert places(check_district(folder)) == [("shelters.csv", None, "capacity")]


def test_a_fund_cannot_buy_more_than_its_budget(folder: Path) -> None:
    put(folder, "funds.csv", 2, "budget_cny", "10")
    assert places(check_district(folder)) == [("funds.csv", 2, "budget_cny")]


def test_what_is_escalated_ends_at_a_top(folder: Path) -> None:
    put(folder, "posts.csv", 2, "escalates_to", "DUTY")
    found = [(row, column) for _, row, column in places(check_district(folder))]
    assert found == [(2, "escalates_to"), (3, "escalates_to"), (4, "escalates_to"), (5, "escalates_to")]


def test_people_work_where_their_duty_is(folder: Path) -> None:
    put(folder, "people.csv", 2, "place", "XCA-1")
    put(folder, "people.csv", 3, "duty", "driver")
    put(folder, "people.csv", 4, "duty", "shelter")
    assert places(check_district(folder)) == [
        ("people.csv", 2, "place"),
        ("people.csv", 3, "vehicle_type"),
        ("people.csv", 4, "place"),
    ]


def test_authority_goes_upwards_to_a_tier_without_limits(folder: Path) -> None:
    put(folder, "authority.csv", 3, "max_people", "499")
    put(folder, "authority.csv", 5, "max_people", "9999")
    assert places(check_district(folder)) == [("authority.csv", row, None) for row in (3, 5, 5)]


def test_homes_are_counted_for_household_reserves_only(folder):
    put(folder, "declarations.csv", 2, "households", "12")
    put(folder, "declarations.csv", 5, "households", "")
    wrong = [("declarations.csv", row, "households") for row in (2, 5)]
    assert places(check_district(folder)) == wrong


def test_a_reserve_in_a_mode_the_catalogue_does_not_have_is_named(folder: Path) -> None:
    put(folder, "agreements.csv", 2, "item", "2020102")
    assert places(check_district(folder)) == [("agreements.csv", 2, "item")]


def test_an_item_comes_in_one_mode_at_a_place(folder: Path) -> None:
    put(folder, "fund_purchases.csv", 2, "delivered_to", "SUP-MART")
    assert places(check_district(folder)) == [("fund_purchases.csv", 2, "delivered_to")]


def test_a_kit_must_give_basic_relief(folder: Path) -> None:
    rows = records(folder / "kit_needs.csv")
    write(folder / "kit_needs.csv", [row for row in rows if row[0] != "indoor"])
    assert places(check_district(folder)) == [("kits.csv", 2, "code")]


def test_a_faulty_district_does_not_load(folder: Path) -> None:
    put(folder, "stores.csv", 2, "docks", "two")
    with pytest.raises(DistrictFaulty, match=r"stores\.csv:2:docks") as refused:
        load_district(folder)
    assert len(refused.value.faults) == 1


def run_validate(folder: Path) -> Result:
    app = typer.Typer()
    app.command()(validate)
    return CliRunner().invoke(app, [str(folder)])


def test_the_command_sums_a_sound_district_up(sample: Path) -> None:
    result = run_validate(sample)
    assert result.exit_code == 0
    assert "11,063" in result.output
    assert "OpenStreetMap" in result.output


def test_the_command_lists_faults_and_exits_2(folder: Path) -> None:
    put(folder, "stores.csv", 2, "docks", "two")
    put(folder, "lots.csv", 5, "quantity", "x")
    result = run_validate(folder)
    assert result.exit_code == 2
    assert "stores.csv:2:docks: " in result.output
    assert "lots.csv:5:quantity: " in result.output
    assert "→" in result.output

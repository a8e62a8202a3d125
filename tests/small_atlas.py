"""A continent of eleven places, small enough to know by heart; used by the tests of scenarios and studies."""

from __future__ import annotations

from datetime import date

import polars as pl

from landbridge.data.tables import Tables

SECOND_HALF = (date(2023, 7, 1), date(2023, 12, 31))
OPEN, BUILDING = "existing", "under_construction"


def small_atlas() -> Tables:
    r"""Return the tables of a small continent.

    ::

        China, 1435 mm               Kazakhstan, 1520 mm             Russia, 1520 mm

        cn-east ==r1== cn-gate ==g1== kz-gate ==r2== kz-west ==g2== ru-moscow
          | \\            \..road../         \second/  || :
          |  ==r3== cn-pass ==new1== kz-pass ===new2===   :..old.. ru-port
          |                                                           |
          ~~~~~~~~~~ s1 ~~~~~~~~ sea-middle ~~~~~~~~~ s2 ~~~~~~~~~~~~~~

        kz-nowhere ..plan.. kz-elsewhere

    ``==`` rail, ``~~`` sea; ``old`` is a suspended railway. ``g1`` and ``g2`` cross borders and carry the crossings
    ``gate`` (operating) and ``steppe`` (closed from 1 July to 31 December 2023). A road ``road`` runs beside ``g1``
    with the crossing ``gate-road``. ``new1`` (China to Kazakhstan, crossing ``pass``) and ``new2`` are the project
    ``pass``, under construction until 2030; ``plan`` is planned and joins nothing; ``second`` (kz-gate to kz-west) is
    under construction until 2026 and belongs to no project. The project ``wider`` raises the line ``east`` from October
    2025; the crossing ``gate`` is raised from 2024 by no project.
    """
    places = pl.DataFrame(
        [
            ("cn-east", "East City", "CN", [1435]),
            ("cn-gate", "Gate (China)", "CN", [1435, 1520]),
            ("cn-pass", "Pass (China)", "CN", [1435]),
            ("kz-gate", "Gate (Kazakhstan)", "KZ", [1520, 1435]),
            ("kz-pass", "Pass (Kazakhstan)", "KZ", [1520]),
            ("kz-west", "West City", "KZ", [1520]),
            ("ru-moscow", "Moscow", "RU", [1520]),
            ("ru-port", "Port", "RU", [1520]),
            ("sea-middle", "Middle of the sea", None, None),
            ("kz-nowhere", "Nowhere", "KZ", None),
            ("kz-elsewhere", "Elsewhere", "KZ", None),
        ],
        schema={"id": pl.String, "name": pl.String, "iso2": pl.String, "gauges_mm": pl.List(pl.Int64)},
        orient="row",
    )
    link_rows = [
        ("r1", "cn-east", "cn-gate", "rail", OPEN, None, "east", 1000.0, [1435], "CN:1000", None, 40.0, 60.0),
        ("r3", "cn-east", "cn-pass", "rail", OPEN, 2020, "east", 1100.0, [1435], "CN:1100", None, 20.0, 60.0),
        ("g1", "cn-gate", "kz-gate", "rail", OPEN, None, "gate", 20.0, [1435, 1520], "CN:5;KZ:15", None, 30.0, 30.0),
        ("road", "cn-gate", "kz-gate", "road", OPEN, None, "roads", 25.0, None, "CN:5;KZ:20", None, None, 40.0),
        ("r2", "kz-gate", "kz-west", "rail", OPEN, None, "west", 900.0, [1520], "KZ:900", None, 24.0, 50.0),
        ("second", "kz-gate", "kz-west", "rail", BUILDING, 2026, "west", 880.0, [1520], "KZ:880", None, 24.0, 50.0),
        ("g2", "kz-west", "ru-moscow", "rail", OPEN, None, "west", 1500.0, [1520], "KZ:300;RU:1200", None, 24.0, 50.0),
        ("new1", "cn-pass", "kz-pass", "rail", BUILDING, 2030, "pass", 200.0, [1435], "CN:150;KZ:50", "pass", 12.0, 60),
        ("new2", "kz-pass", "kz-west", "rail", BUILDING, 2030, "pass", 300.0, [1520], "KZ:300", "pass", 12.0, 60.0),
        ("old", "kz-west", "ru-port", "rail", "suspended", None, "west", 700.0, [1520], "KZ:100;RU:600", None, 6, 40),
        ("plan", "kz-nowhere", "kz-elsewhere", "rail", "planned", None, "plan", 100.0, [1520], "KZ:100", None, 6, 40),
        ("s1", "cn-east", "sea-middle", "sea", OPEN, None, "ships", 5000.0, None, None, None, None, 25.0),
        ("s2", "sea-middle", "ru-port", "sea", OPEN, None, "ships", 6000.0, None, None, None, None, 25.0),
    ]  # fmt: skip
    links = pl.DataFrame(
        link_rows,
        schema={
            "id": pl.String, "place_a": pl.String, "place_b": pl.String, "mode": pl.String, "status": pl.String,
            "open_from": pl.Int64, "line": pl.String, "length_km": pl.Float64, "gauges_mm": pl.List(pl.Int64),
            "country_km": pl.String, "project": pl.String, "capacity_trains_day": pl.Float64, "speed_kmh": pl.Float64,
        },
        orient="row",
    ).with_columns(
        pl.lit(None, dtype=pl.Date).alias("closed_from"),
        pl.lit(None, dtype=pl.Date).alias("closed_to"),
        pl.lit(1, dtype=pl.Int64).alias("tracks"),
        pl.lit(2.0).alias("preload_trains_day"),
        pl.lit(1.0).alias("train_length_factor"),
        pl.lit(0.0).alias("fixed_usd_teu"),
        pl.lit(0.0).alias("fixed_usd_t"),
    )  # fmt: skip
    crossings = pl.DataFrame(
        [
            ("gate", "Gate", "cn-gate", "kz-gate", "g1", "rail", "operating", None, None, 18.0),
            ("gate-road", "Gate, road", "cn-gate", "kz-gate", "road", "road", "operating", None, None, None),
            ("steppe", "Steppe", "kz-west", "ru-moscow", "g2", "rail", "operating", *SECOND_HALF, 24.0),
            ("pass", "Pass", "cn-pass", "kz-pass", "new1", "rail", "closed", None, None, 10.0),
            ("old-gate", "Old gate", "kz-west", "ru-port", "old", "rail", "closed", None, None, 5.0),
        ],
        schema={
            "id": pl.String, "name": pl.String, "place_a": pl.String, "place_b": pl.String, "link": pl.String,
            "mode": pl.String, "status": pl.String, "closed_from": pl.Date, "closed_to": pl.Date,
            "capacity_ab_trains_day": pl.Float64,
        },
        orient="row",
    ).with_columns(
        pl.col("capacity_ab_trains_day").alias("capacity_ba_trains_day"),
        *[pl.lit(1.0).alias(f"preload_{way}_trains_day") for way in ("ab", "ba")],
        *[pl.lit(10.0).alias(f"processing_{way}_h") for way in ("ab", "ba")],
        *[pl.lit(20.0).alias(f"waiting_{way}_h") for way in ("ab", "ba")],
        *[pl.lit(8.0).alias(f"spread_{way}_h") for way in ("ab", "ba")],
        *[pl.lit(50.0).alias(f"cost_{way}_usd_teu") for way in ("ab", "ba")],
        *[pl.lit(4.0).alias(f"cost_{way}_usd_t") for way in ("ab", "ba")],
    )  # fmt: skip
    gauge_changes = pl.DataFrame(
        {
            "id": ["kz-gate:out", "cn-gate:back", "kz-pass:out"],
            "place": ["kz-gate", "cn-gate", "kz-pass"],
            "from_mm": [1435, 1520, 1435],
            "to_mm": [1520, 1435, 1520],
            "work_h": 2.0,
            "yard_h": 10.0,
            "cost_usd_teu": 80.0,
            "cost_usd_t": 5.0,
            "capacity_trains_day": 15.0,
        }
    )
    terminals = pl.DataFrame(
        {
            "id": ["port:rail-sea", "east:rail-sea", "gate:rail-road"],
            "place": ["ru-port", "cn-east", "kz-gate"],
            "from_mode": ["rail", "rail", "rail"],
            "to_mode": ["sea", "sea", "road"],
        }
    )
    services = pl.DataFrame(
        {
            "id": ["trains-east", "trains-moscow", "liner"],
            "place": ["cn-east", "ru-moscow", None],
            "link": [None, None, "s*"],
        },
        schema_overrides={"link": pl.String},
    )
    trade = pl.DataFrame(
        [
            ("CHN", "KAZ", 2023, "fuels", 10.0, 5e9),
            ("CHN", "RUS", 2023, "fuels", 20.0, 8e9),
            ("RUS", "CHN", 2023, "fuels", 30.0, 9e9),
            ("KAZ", "CHN", 2023, "food", 40.0, 3e9),
        ],
        schema=["exporter", "importer", "year", "commodity", "tonnes", "value_usd"],
        orient="row",
    )
    bulk_trade = pl.DataFrame(
        [("RUS", "CHN", 2023, "coal", 25.0, 2e9), ("KAZ", "CHN", 2023, "wheat", 5.0, 1e9)],
        schema=["exporter", "importer", "year", "product", "tonnes", "value_usd"],
        orient="row",
    )
    return Tables(
        {
            "places": places,
            "links": links,
            "lines": pl.DataFrame({"id": ["east", "gate", "roads", "west", "pass", "plan", "ships"], "name": "A line"}),
            "crossings": crossings,
            "gauge_changes": gauge_changes,
            "terminals": terminals,
            "terminal_plans": pl.DataFrame(
                {"id": ["yard", "quay"], "name": ["A yard", "A quay"], "stack_teu": [1000.0, 500.0]}
            ),
            "terminal_resources": pl.DataFrame(
                [
                    ("tracks", "yard", "track", 4, None, None, None, None),
                    ("crane", "yard", "crane", 1, 2, 0.0, 3.0, None),
                    ("customs", "yard", "customs", 2, None, 60.0, 20.0, 12.0),
                    ("other", "quay", "crane", 1, 1, 0.0, 4.0, None),
                ],
                schema={
                    "id": pl.String,
                    "plan": pl.String,
                    "kind": pl.String,
                    "count": pl.Int64,
                    "machines": pl.Int64,
                    "minutes_train": pl.Float64,
                    "minutes_unit": pl.Float64,
                    "open_h_day": pl.Float64,
                },
                orient="row",
            ),
            "services": services,
            "projects": pl.DataFrame(
                {"id": ["pass", "harbour", "wider"], "name": ["Railway over the pass", "A harbour", "East line"]}
            ),
            "countries": pl.DataFrame(
                {
                    "iso2": ["CN", "KZ", "RU"],
                    "iso3": ["CHN", "KAZ", "RUS"],
                    "name": ["China", "Kazakhstan", "Russian Federation"],
                }
            ),
            "blocs": pl.DataFrame(
                {"bloc": ["eaeu", "eaeu", "later"], "iso2": ["KZ", "RU", "CN"], "from_year": [2015, None, 2028]}
            ),
            "commodities": pl.DataFrame(
                {
                    "id": ["coal_bulk", "grain", "rest"],
                    "name": ["Coal", "Grain", "Rest"],
                    "group": ["fuels", "food", "food"],
                    "baci_products": [["coal"], ["wheat"], None],
                    "share_of_group": [1.0, 0.25, 0.75],
                    "value_usd_t": [150.0, 300.0, 900.0],
                }
            ),
            "zones": pl.DataFrame({"id": ["cn-east", "kz-west"], "name": ["East of China", "West of Kazakhstan"]}),
            "tariffs": pl.DataFrame(
                {
                    "id": ["kaz-any", "rus-any", "chn-any", "eaeu-eaeu"],
                    "importer": ["KAZ", "RUS", "CHN", "eaeu"],
                    "exporter": ["*", "*", "*", "eaeu"],
                    "tariff_pct": [5.0, 3.0, 4.5, 0.0],
                }
            ),
            "reporting_bases": pl.DataFrame(
                {
                    "id": ["kaz-stat"],
                    "name": ["Kazakhstan's statistics"],
                    "trader_a": ["CHN"],
                    "trader_b": ["KAZ"],
                    "reported_usd_bn": [6.0],
                    "matrix_basis_usd_bn": [8.0],
                }
            ),
            "trade_sectors": pl.DataFrame({"id": ["goods"], "groups": [["fuels", "food"]]}),
            "goods_output": pl.DataFrame(
                {"iso3": ["CHN", "KAZ", "RUS"], "sector": "goods", "gross_output_usd": [9e12, 1e11, 9e11]}
            ),
            "rates": pl.DataFrame(
                {
                    "country": ["CN", "KZ", "*", "*", "*"],
                    "mode": ["rail", "rail", "rail", "road", "sea"],
                    "usd_teu_km": [0.3, 0.25, 0.4, 0.8, 0.02],
                    "usd_t_km": [0.02, 0.015, 0.03, 0.08, 0.002],
                }
            ),
            "upgrades": pl.DataFrame(
                {
                    "project": ["wider", None],
                    "name": ["East line", "Gate"],
                    "table": ["lines", "crossings"],
                    "subject": ["east", "gate"],
                    "from_date": [date(2025, 10, 1), date(2024, 1, 1)],
                    "capacity_trains_day": [100.0, 36.0],
                    "speed_kmh": [90.0, None],
                }
            ),
            "trade": trade,
            "bulk_trade": bulk_trade,
        }
    )

"""What a tonne of each class pays on each arc."""

from __future__ import annotations

import numpy as np
import pytest

from landbridge.model.costs import EMPTY, CostWeights, class_co2, class_money, goods
from small_supply import bare

COMMODITIES = {
    "id": ["coal", "machines"],
    "form": ["bulk", "container"],
    "t_per_teu": [None, 8.0],
    "t_per_train": [3300.0, 880.0],
    "vot_usd_t_h": [0.002, 0.9],
    "logit_scale_usd_t": [20.0, 300.0],
    "value_usd_t": [100.0, 11_000.0],
}
FREE = CostWeights(buffer=0.0, carbon_usd_t=0.0)


def test_the_empty_box_is_the_last_class() -> None:
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    assert classes.names == ("coal", "machines", EMPTY)
    assert classes.empty == 2
    assert classes.container.tolist() == [False, True, True]
    assert classes.t_per_teu[1:].tolist() == [8.0, 2.5]
    assert np.isnan(classes.t_per_teu[0])
    assert classes.t_per_train.tolist() == [3300.0, 880.0, 275.0]
    assert 0 < classes.value_of_time_usd_t_h[2] < 1e-3
    # a train a day of full boxes takes the same room whether they are loaded or empty
    per_box = classes.weight_trains_day_per_t_yr[1:] * classes.t_per_teu[1:]
    assert per_box == pytest.approx([1 / 110 / 365] * 2)
    assert classes.weight_trains_day_per_t_yr[0] == pytest.approx(1 / 3300 / 365)


def test_boxes_are_counted_for_boxed_goods_only() -> None:
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    boxes = classes.teu(np.array([100.0, 80.0, 25.0]), np.array([0, 1, 2], np.int32))
    assert boxes.tolist() == [0.0, 10.0, 10.0]


def test_boxes_pay_by_the_teu_and_bulk_by_the_tonne() -> None:
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    net = bare(2, [(0, 1)], money_usd_teu=[80.0], money_usd_t=[7.0], money_empty_usd_teu=[20.0])
    assert class_money(net, classes, FREE)[:, 0] == pytest.approx([7.0, 10.0, 8.0])


def test_an_arc_of_the_other_form_is_forbidden() -> None:
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    net = bare(2, [(0, 1), (0, 1)], container=[True, False], bulk=[False, True])
    money = class_money(net, classes, FREE)
    assert np.isinf(money).tolist() == [[True, False], [False, True], [False, True]]


def test_spread_and_carbon_are_paid_where_they_are_priced() -> None:
    """Half an hour of buffer for each hour of spread; 50 USD for a tonne of CO2."""
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    net = bare(2, [(0, 1)], spread_h=[4.0], co2_g_t=[20_000.0], time_h=[100.0])
    money = class_money(net, classes, CostWeights(buffer=0.5, carbon_usd_t=50.0))[:, 0]
    assert money[0] == pytest.approx(0.5 * 0.002 * 4 + 50 * 0.02)
    assert money[1] == pytest.approx(0.5 * 0.9 * 4 + 50 * 0.02)
    assert class_money(net, classes, FREE)[:, 0] == pytest.approx(0.0)  # time is not money here


def test_a_tonne_in_a_box_emits_its_part_of_the_box() -> None:
    """20 kg a tonne carried and 25 kg a box: bulk has none, ten tonnes share one, an empty box is only itself."""
    classes = goods(COMMODITIES, box_tare_t=2.5, teu_per_train=110.0)
    net = bare(2, [(0, 1)], co2_g_t=[20_000.0], box_co2_g_teu=[25_000.0])
    found = [float(class_co2(net, classes, k)[0]) for k in range(3)]
    assert found == pytest.approx([20_000.0, 20_000.0 + 25_000.0 / float(classes.t_per_teu[1]), 20_000.0])
    money = class_money(net, classes, CostWeights(buffer=0.0, carbon_usd_t=50.0))[:, 0]
    assert money == pytest.approx([50e-6 * grams for grams in found])

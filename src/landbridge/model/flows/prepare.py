"""Lay the inputs of an assignment out for the kernels."""

from __future__ import annotations

import numpy as np

from landbridge.model.flows import kernels
from landbridge.model.flows.curves import curve_arrays, delays_h, responds
from landbridge.model.flows.kernels import AnyFacilities, Facilities, Pairs, PlainFacilities, Problem
from landbridge.model.flows.records import Classes, Floats, Relations, VolumeDelay
from landbridge.model.hierarchy import Forest, forest, hierarchy
from landbridge.model.paths import Graph

__all__ = ["prepare"]


def prepare(
    graph: Graph,
    delay: VolumeDelay,
    classes: Classes,
    relations: Relations,
    *,
    social: bool = False,
    room: Floats | None = None,
    linear: bool = False,
) -> tuple[Problem, AnyFacilities, Pairs, Forest]:
    """Put arcs in the order of slots and relations in the order of trees; copies, so that kernels see one layout.

    `social` charges each tonne what it costs others; `room` gives the trains a day above which a queue forms (inf:
    none); `linear` keeps all delays as they are without any volume of ours.
    """
    f = delay.delay_h.size
    slots = graph.out_arc
    facility = np.asarray(delay.facility, np.int32)[slots]
    limited = np.zeros(f, np.bool_) if room is None else np.isfinite(room)
    rises = np.zeros(f, np.bool_) if linear else responds(delay)
    constant_h = delay.time_h[slots] + np.append(np.where(rises, 0.0, delays_h(delay, np.zeros(f))), 0.0)[facility]
    vot = np.array(classes.value_of_time_usd_t_h, np.float64)
    weight = np.asarray(classes.weight_trains_day_per_t_yr, np.float64)
    burden, class_row = np.unique(weight / vot, return_inverse=True) if social else (np.zeros(1), np.zeros(vot.size))
    curves = curve_arrays(delay, rises)
    share = np.append(1.0 / delay.train_length_factor, 0.0)
    facilities: AnyFacilities
    if social or limited.any() or curves.kind.any():
        facilities = Facilities(
            volume=np.zeros(f + 1),
            delay=np.zeros((burden.size, f + 1)),
            slope=np.zeros((burden.size, f + 1)),
            curves=curves,
            share=share,
            social=social,
            burden=burden.astype(np.float64),
            worth=np.zeros(f + 1),
            room=np.append(np.where(limited, np.zeros(f) if room is None else room, 0.0), 0.0),
            queue=np.zeros(f + 1),
            stiffness=np.zeros(f + 1),
        )
    else:
        facilities = PlainFacilities(
            volume=np.zeros(f + 1),
            delay=np.zeros(f + 1),
            slope=np.zeros(f + 1),
            delay_h=curves.height,
            steep=curves.height * curves.shape * share / curves.capacity,
            power=curves.shape,
            filling=1.0 / curves.capacity,
            preload=curves.preload,
            share=share,
        )
    class_index = np.asarray(relations.class_index, np.int64)
    origin = np.asarray(relations.origin, np.int64)
    tree_key = class_index * graph.node_count + origin
    rank = np.argsort(tree_key, kind="stable")
    keys, first = np.unique(tree_key[rank], return_index=True)
    first_target = np.append(first, rank.size).astype(np.int32)
    fixed_cost = np.empty((vot.size, slots.size))
    usable = np.empty(slots.size, np.bool_)
    kernels.lay_costs(np.ascontiguousarray(classes.money_usd_t, np.float64), slots, vot, constant_h, fixed_cost, usable)
    tree = hierarchy(graph.node_count, graph.tail[slots], graph.head[slots], usable)
    searches = forest(
        (keys % graph.node_count).astype(np.int32),
        (keys // graph.node_count).astype(np.int32),
        first_target,
        np.asarray(relations.destination)[rank].astype(np.int32),
    )
    outside = np.asarray(relations.outside_usd_t, np.float64)[rank]
    tonnes = np.asarray(relations.tonnes_yr, np.float64)[rank]
    pairs = Pairs(
        tonnes=tonnes,
        vot=vot[class_index[rank]],
        weight=weight[class_index[rank]],
        elastic=np.isfinite(outside) & (tonnes > 0.0),
        outside_cost=outside,
        scale=np.asarray(relations.scale_usd_t, np.float64)[rank],
        outside=np.zeros(rank.size),
        row=class_row.astype(np.int32)[class_index[rank]],
        rate=np.ones(rank.size) if social else (weight / vot)[class_index[rank]],
    )
    problem = Problem(
        out_arc=slots,
        facility=facility,
        felt=np.where(np.append(rises | limited, False)[facility], facility, f).astype(np.uint32),
        fixed_cost=fixed_cost,
        vot=vot,
        class_row=class_row.astype(np.int64),
        rank=rank,
        pair_tree=np.repeat(np.arange(keys.size, dtype=np.int32), np.diff(first_target)),
        tree=tree,
    )
    return problem, facilities, pairs, searches

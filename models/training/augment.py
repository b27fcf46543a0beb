# SPDX-FileCopyrightText: 2026 Wegewart contributors
# SPDX-License-Identifier: Apache-2.0
"""From labelled pictures to one training picture.

A training picture is a layout of one, two or four cells, each filled from one sample by one perspective
transform. Which classes are known can differ from cell to cell, so the result carries a map of it.
A class survives every transform used here: flips are left-right, turns stay below ten degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from models.training.dataset import Boxes, Flags, Labels, Sample

GREY = 114
MAP_STRIDE = 8
SMALLEST_PX = 5.0
LEAST_VISIBLE = 0.3

Picture = NDArray[np.uint8]
Cell = tuple[int, int, int, int]


@dataclass(frozen=True)
class Example:
    """A training picture: `targets` is boxes x classes, `known` is classes x rows x columns at stride 8."""

    picture: Picture
    boxes: Boxes
    targets: Flags
    known: Flags


def cells(width: int, height: int, count: int) -> tuple[Cell, ...]:
    """Left, top, right, bottom of one, two or four cells."""
    middle, centre = height // 2, width // 2
    if count == 1:
        return ((0, 0, width, height),)
    if count == 2:
        return ((0, 0, centre, height), (centre, 0, width, height))
    return (
        (0, 0, centre, middle),
        (centre, 0, width, middle),
        (0, middle, centre, height),
        (centre, middle, width, height),
    )


def compose(
    samples: list[tuple[Sample, Picture]],
    size: tuple[int, int],
    zoom: tuple[float, float],
    rng: Generator,
    stretch: float = 0.15,
    *,
    weather: float = 0.0,
) -> Example:
    """Fill one cell per sample, all of one model.

    Args:
        samples: with their pictures; one, two or four.
        size: width and height of the training picture.
        zoom: relative to the picture fitted into the whole canvas.
        rng: decides.
        stretch: the aspect changes by up to this (natural logarithm).
        weather: how often a cell gets a wet road, or rain.
    """
    width, height = size
    classes = samples[0][0].classes
    canvas = np.full((height, width, 3), GREY, np.uint8)
    known = np.ones((len(classes), height // MAP_STRIDE, width // MAP_STRIDE), bool)
    boxes, labels = [], []
    for (sample, picture), cell in zip(samples, cells(width, height, len(samples)), strict=True):
        own_zoom = (zoom[0] * sample.part, zoom[1] * sample.part)
        matrix = _transform(picture, size, cell, own_zoom, rng, most_stretch=stretch)
        left, top, right, bottom = cell
        canvas[top:bottom, left:right] = photometric(_warp(picture, matrix, cell), rng, weather)
        kept, kept_labels, lost, lost_labels = _move(sample.boxes, sample.labels, matrix, cell)
        ignored, ignored_labels, _, _ = _move(sample.ignored, sample.ignored_labels, matrix, cell, least=0.0)
        _known_map(
            known,
            cell,
            sample,
            (kept, kept_labels),
            (np.concatenate((ignored, lost)), np.concatenate((ignored_labels, lost_labels))),
        )
        boxes.append(kept)
        labels.append(kept_labels)
    targets = np.zeros((sum(map(len, boxes)), len(classes)), bool)
    for row, label in enumerate(np.concatenate(labels)):
        targets[row, list(classes.implied(int(label)))] = True
    return Example(canvas, np.concatenate(boxes), targets, known)


def _transform(
    picture: Picture,
    size: tuple[int, int],
    cell: Cell,
    zoom: tuple[float, float],
    rng: Generator,
    *,
    most_stretch: float,
) -> NDArray[np.float64]:
    """Source pixels -> canvas pixels: flip, turn, zoom, a little perspective, place in the cell."""
    height, width = picture.shape[:2]
    scale = min(size[0] / width, size[1] / height) * np.exp(rng.uniform(*np.log(zoom)))
    stretch = np.exp(rng.uniform(-most_stretch, most_stretch))
    turn = np.deg2rad(rng.normal(0, 2.5)) if rng.random() < 0.5 else 0.0
    flip = -1.0 if rng.random() < 0.5 else 1.0
    centre = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]])
    linear = np.array(
        [
            [flip * scale * stretch * np.cos(turn), -scale * np.sin(turn), 0],
            [flip * scale * stretch * np.sin(turn), scale * np.cos(turn), 0],
            [0, 0, 1],
        ]
    )
    linear[2, :2] = rng.normal(0, 0.04, 2) / (width, height)
    left, top, right, bottom = cell
    spare = np.array([right - left - scale * stretch * width, bottom - top - scale * height])
    place = np.array([left, top]) + spare * rng.random(2) + scale * np.array([stretch * width, height]) / 2
    return np.array([[1, 0, place[0]], [0, 1, place[1]], [0, 0, 1]]) @ linear @ centre


def _warp(picture: Picture, matrix: NDArray[np.float64], cell: Cell) -> Picture:
    left, top, right, bottom = cell
    shift = np.array([[1, 0, -left], [0, 1, -top], [0, 0, 1]])
    return np.asarray(
        cv2.warpPerspective(
            picture, shift @ matrix, (right - left, bottom - top), flags=cv2.INTER_LINEAR, borderValue=(GREY,) * 3
        ),
        np.uint8,
    )


def _move(
    boxes: Boxes, labels: Labels, matrix: NDArray[np.float64], cell: Cell, least: float = LEAST_VISIBLE
) -> tuple[Boxes, Labels, Boxes, Labels]:
    """Boxes that are still visible in the cell, and what is left of those that are hardly visible."""
    if not len(boxes):
        return boxes, labels, boxes, labels
    corners = np.stack((boxes[:, [0, 1]], boxes[:, [2, 1]], boxes[:, [2, 3]], boxes[:, [0, 3]]), 1)
    moved = cv2.perspectiveTransform(corners.astype(np.float64), matrix)
    whole = np.concatenate((moved.min(1), moved.max(1)), 1)
    left, top, right, bottom = cell
    clipped = whole.clip([left, top, left, top], [right, bottom, right, bottom])
    size = clipped[:, 2:] - clipped[:, :2]
    visible = size.prod(1) / (whole[:, 2:] - whole[:, :2]).prod(1).clip(1e-6)
    inside = (size > 1).all(1)
    keep = inside & (visible >= least) & (size.min(1) >= SMALLEST_PX * (least > 0))
    lost = inside & ~keep
    result = clipped.astype(np.float32)
    return result[keep], labels[keep], result[lost], labels[lost]


def _known_map(
    known: Flags, cell: Cell, sample: Sample, kept: tuple[Boxes, Labels], ignored: tuple[Boxes, Labels]
) -> None:
    """Write into `known` what can be judged in this cell."""
    left, top, right, bottom = (value // MAP_STRIDE for value in cell)
    known[:, top:bottom, left:right] = sample.known[:, None, None]
    for box, label in zip(*ignored, strict=True):
        _blank(known, box, sample.classes.group(int(label)))
    for box, label in zip(*kept, strict=True):
        if label == sample.classes.crack:
            _blank(known, box, sample.classes.typed)  # a crack of a type that nobody wrote down


def _blank(known: Flags, box: NDArray[np.float32], classes: tuple[int, ...]) -> None:
    x1, y1 = np.floor(box[:2] / MAP_STRIDE).astype(int)
    x2, y2 = np.ceil(box[2:] / MAP_STRIDE).astype(int)
    known[list(classes), y1:y2, x1:x2] = False


def photometric(picture: Picture, rng: Generator, weather: float = 0.0) -> Picture:
    """Weather, light, night, shadow, motion blur, sensor noise, JPEG: each now and then."""
    if weather > 0 and rng.random() < weather:
        picture = wet(picture, rng) if rng.random() < 0.5 else rain(picture, rng)
    if rng.random() < 0.7:
        picture = _tone(picture, rng)
    if rng.random() < 0.2:
        picture = _shadow(picture, rng)
    if rng.random() < 0.2:
        picture = _motion_blur(picture, rng)
    if rng.random() < 0.2:
        noise = rng.normal(0, rng.uniform(2, 10), picture.shape[:2]).astype(np.int16)
        picture = (picture + noise[..., None]).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        _, code = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 90))])
        picture = np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), np.uint8)
    return picture


def _tone(picture: Picture, rng: Generator) -> Picture:
    night = rng.random() < 0.12
    gain = rng.uniform(0.25, 0.6) if night else rng.uniform(0.7, 1.3)
    gamma = rng.uniform(0.75, 1.35)
    offset = rng.uniform(-20, 20)
    levels = np.arange(256) / 255
    tint = rng.uniform(0.92, 1.08, 3)
    table = (levels[:, None] ** gamma * 255 * gain * tint + offset).clip(0, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(picture, table[None]), np.uint8)


def _shadow(picture: Picture, rng: Generator) -> Picture:
    height, width = picture.shape[:2]
    corners = (rng.random((4, 2)) * 1.4 - 0.2) * (width, height)
    mask = np.zeros((height, width), np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(corners.astype(np.int32)), 1.0)
    softness = int(rng.integers(1, 12)) * 2 + 1
    factor = 1 - cv2.blur(mask, (softness, softness)) * rng.uniform(0.2, 0.6)
    return np.asarray(picture * factor[..., None], np.uint8)


def _motion_blur(picture: Picture, rng: Generator) -> Picture:
    length = int(rng.integers(2, 6))
    shape = (1, length) if rng.random() < 0.3 else (length, 1)
    return np.asarray(cv2.blur(picture, shape[::-1]), np.uint8)


def wet(picture: Picture, rng: Generator) -> Picture:
    """A wet road is darker, and mirrors what is above it, the more the lower in the picture, blurred up and down."""
    height = picture.shape[0]
    mirrored = cv2.blur(picture[::-1], (3, max(3, height // 8))).astype(np.float32)
    share = (np.linspace(0, 1, height) * rng.uniform(0.15, 0.45))[:, None, None]
    return np.asarray((picture * rng.uniform(0.6, 0.85) * (1 - share) + mirrored * share).clip(0, 255), np.uint8)


def rain(picture: Picture, rng: Generator) -> Picture:
    """Streaks of drops, and less contrast behind them."""
    height, width = picture.shape[:2]
    length, lean = int(rng.integers(6, 16)), rng.uniform(-0.4, 0.4)
    streak = np.zeros((length, length), np.float32)
    centre = length // 2
    cv2.line(streak, (round(centre - lean * centre), 0), (round(centre + lean * centre), length - 1), 1.0)
    drops = (rng.random((height, width)) < rng.uniform(0.001, 0.006)).astype(np.float32)
    streaks = cv2.filter2D(drops, -1, streak).clip(0, 1)[..., None] * rng.uniform(40, 110)
    haze = rng.uniform(0.7, 0.95)
    return np.asarray((picture * haze + picture.mean() * (1 - haze) + streaks).clip(0, 255), np.uint8)

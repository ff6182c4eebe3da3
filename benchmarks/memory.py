"""Prepare and train on generated images of four times the allowed memory; the peak stays flat.

Run: python benchmarks/memory.py [--limit-mib 800] [--factor 4]. Writes PNG files, then prepares and
trains on growing shares of them, each in a process of its own. The limit is Linux's RLIMIT_DATA:
what a process may allocate itself, heap and anonymous maps alike. Pages of files that are mapped are
left out, rightly: the kernel takes them back when it needs room. The peak is the most of such
memory (RssAnon) that was seen, beside that of a process that only imports what training needs.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image

from assay.data.image_folder import ImageFolder
from assay.data.pictures import Pictures
from assay.model.cnn import Cnn
from assay.pipeline.fitting.candidate import try_candidate
from assay.pipeline.fitting.inputs import read_inputs
from assay.split.prepare import prepare
from assay.training.knobs import Training

MIB = 1 << 20
SIDE = 224
CLASSES = 4
DISTINCT = 64
# Arrow's own allocator reserves a GiB at once, of which it uses little.
ENVIRONMENT = {
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "MALLOC_ARENA_MAX": "2",
    "OMP_NUM_THREADS": "1",
}


def main() -> None:
    """Print a row for each share of the images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--limit-mib", type=int, default=800)
    parser.add_argument("--factor", type=float, default=4.0)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--child", type=Path)
    words = parser.parse_args()
    if words.child:
        child(words.child)
        return
    total = int(words.factor * words.limit_mib * MIB / (3 * SIDE * SIDE))
    with tempfile.TemporaryDirectory(dir=words.folder) as scratch:
        for share in (0.25, 1.0):
            measure(Path(scratch), round(share * total), limit=words.limit_mib * MIB)


def measure(scratch: Path, count: int, *, limit: int) -> None:
    """Prepare and train on ``count`` images in a limited process, and print what it took."""
    folder = scratch / str(count)
    write_images(folder / "images", count)
    done = subprocess.run(
        [sys.executable, __file__, "--child", str(folder)],
        env={**os.environ, **ENVIRONMENT, "ASSAY_HOME": str(folder / "home")},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
        capture_output=True,
        text=True,
    )
    size = count * 3 * SIDE * SIDE
    head = f"{count:7,} images, {size / MIB:6,.0f} MiB, limit {limit / MIB:,.0f} MiB"
    told = done.stdout.strip().splitlines()[-1] if done.stdout.strip() else ""
    error = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    print(f"{head}: {' '.join([told, *error])}", flush=True)
    shutil.rmtree(folder)


def write_images(folder: Path, count: int) -> None:
    """Write JPEG pictures, few of them distinct, in folders by class."""
    rng = np.random.default_rng(0)
    made = rng.integers(0, 200, (DISTINCT, SIDE // 8, SIDE // 8, 3), dtype=np.uint8)
    for label in range(CLASSES):
        (folder / str(label)).mkdir(parents=True)

    for number in range(count):
        place = folder / str(number % CLASSES) / f"{number}.jpg"
        if number >= DISTINCT:  # the same content again, which the reader cannot know
            place.hardlink_to(folder / str(number % CLASSES) / f"{number % DISTINCT}.jpg")
            continue
        pixels = made[number].copy()
        pixels[: 2 + number % CLASSES] += np.uint8(50)
        Image.fromarray(pixels).resize((SIDE, SIDE)).save(place, quality=70)


def child(folder: Path) -> None:
    """Prepare and train in this process, and print the peaks of its own memory."""
    before = own_memory()
    pictures = Pictures(height=SIDE, width=SIDE)
    data = ImageFolder(path=str(folder / "images"), pictures=pictures)
    (folder / "prepared").mkdir()
    with peak() as prepared:
        prepare(data, folder=folder / "prepared")
    inputs = read_inputs(folder / "prepared")
    knobs = Training(max_epochs=1, batch_size=32, threads=1, device="cpu", limit_batches=60)
    with peak() as trained:
        try_candidate(inputs, model=Cnn(width=4), training=knobs, seed=0)
    parts = {"imports": before, "prepare": max(prepared), "train": max(trained)}
    print(", ".join(f"{name} {size / MIB:,.0f} MiB" for name, size in parts.items()))


@contextmanager
def peak() -> Iterator[list[int]]:
    """Sample the process's own memory, in bytes, while the block runs."""
    seen, is_over = [own_memory()], threading.Event()

    def watch() -> None:
        while not is_over.is_set():
            seen.append(own_memory())
            time.sleep(0.01)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        is_over.set()
        watcher.join()


def own_memory() -> int:
    """Return how many bytes of memory are the process's own, not mapped from files."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


if __name__ == "__main__":
    main()

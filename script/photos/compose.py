"""Composes a pool of pictures from photographic cut-outs on photographs of landscapes and things, and pictures for a model card's checks.

    compose.py POOL COUNT CHECKS [SEED]

The cut-outs are Debian's package tuxpaint-stamps-default, the backgrounds its packages of wallpapers and photographs of scikit-image and
scikit-learn. Picture `i` of a seed is always the same, so a pool can be made larger later.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance

SIDE = 256
STAMPS = Path("/usr/share/tuxpaint/stamps")
WALLPAPERS = Path("/usr/share")

# The photographs among the wallpapers, most of which are drawn.
BACKGROUNDS = [
    *(f"backgrounds/{name}.jpg" for name in (
        "Bridge_by_Sander_Klootwijk", "Dragonfly_by_Bolly", "Kleiber_by_Lukas_Baubkus", "Picture_0B_by_freespace",
        "Picture_1A_by_freespace", "Wine_by_Jakkub_Mede", "aitzgorri_by_Aitzol_Berasategi", "free_by_Peter_Nerlich",
        "friends_by_Aitzol_Berasategi", "greentock_by_Peter_Nerlich", "life_by_Aitzol_Berasategi",
        "picosdeeuropa_by_Aitzol_Berasategi", "seeding_by_Clements_Engelhardt", "sunset_by_Aitzol_Berasategi")),
    *(f"backgrounds/mate/nature/{name}.jpg" for name in (
        "Aqua", "Blinds", "Dune", "FreshFlower", "Garden", "GreenMeadow", "LadyBird", "RainDrops", "Storm", "TwoWings", "Wood",
        "YellowFlower")),
    *(f"wallpapers/{name}/contents/images/2560x1600.jpg" for name in (
        "BytheWater", "ColdRipple", "ColorfulCups", "EveningGlow", "FallenLeaf", "Kite", "Path", "summer_1am")),
]


def package(name, path):
    """A file of a Python package, which need not be importable."""
    return Path(find_spec(name).submodule_search_locations[0]) / path


def photographs():
    """The backgrounds, large enough for crops."""
    paths = [WALLPAPERS / name for name in BACKGROUNDS]
    paths += [package("skimage", f"data/{name}") for name in ("coffee.png", "motorcycle_left.png")]
    paths += [package("sklearn", f"datasets/images/{name}.jpg") for name in ("china", "flower")]
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        sys.exit("These photographs are missing; script/photo-study --install installs them:\n  " + "\n  ".join(missing))
    pictures = []
    for path in paths:
        picture = Image.open(path)
        picture.draft("RGB", (1200, 1200))
        picture = picture.convert("RGB")
        picture.thumbnail((1600, 1200), Image.LANCZOS)
        pictures.append(picture)
    return pictures


def is_photographic(picture):
    """A photograph has few equal neighbours and many colours; a drawing has not. Small and rectangular stamps are left out."""
    values = np.asarray(picture)
    opaque = values[..., 3] > 250
    if opaque.sum() < 3000 or (values[..., 3] < 5).mean() <= 0.05:
        return False
    colours = values[..., :3].astype(int)
    packed = (colours << [16, 8, 0]).sum(-1)
    pairs = opaque[:, 1:] & opaque[:, :-1]
    equal = (packed[:, 1:] == packed[:, :-1]) & pairs
    return len(np.unique(packed[opaque])) > 0.35 * opaque.sum() and equal.sum() < 0.06 * pairs.sum()


def cut_outs():
    """Pictures with transparency, with their names."""
    found = []
    for path in sorted(STAMPS.rglob("*.png")):
        picture = Image.open(path).convert("RGBA")
        if is_photographic(picture):
            found.append((path.stem, picture.crop(picture.getbbox())))
    if not found:
        sys.exit(f"{STAMPS} holds no cut-outs; script/photo-study --install installs them")
    return found


def background(dice, pictures):
    """A random square part."""
    picture = pictures[dice.integers(len(pictures))]
    side = int(min(picture.size) * dice.uniform(0.35, 1.0))
    left, top = (int(dice.integers(length - side + 1)) for length in picture.size)
    part = picture.resize((SIDE, SIDE), Image.BILINEAR, (left, top, left + side, top + side))
    return part.transpose(Image.FLIP_LEFT_RIGHT) if dice.random() < 0.5 else part


def paste(dice, picture, thing):
    """Places a cut-out, scaled, mirrored, turned a little and with other light."""
    length = dice.uniform(0.45, 0.85) * SIDE
    factor = length / max(thing.size)
    thing = thing.resize([max(1, round(side * factor)) for side in thing.size], Image.LANCZOS)
    if dice.random() < 0.5:
        thing = thing.transpose(Image.FLIP_LEFT_RIGHT)
    thing = thing.rotate(dice.uniform(-12, 12), Image.BICUBIC, expand=True)
    alpha = thing.getchannel("A")
    thing = ImageEnhance.Brightness(thing.convert("RGB")).enhance(dice.uniform(0.85, 1.15))
    middle = dice.uniform(0.35, 0.65, 2) * SIDE
    picture.paste(thing, tuple(round(m - side / 2) for m, side in zip(middle, thing.size)), alpha)


def compose(dice, pictures, things):
    """A picture with its name: one cut-out, rarely two or none."""
    picture = background(dice, pictures)
    count = dice.choice([0, 1, 2], p=[0.1, 0.75, 0.15])
    chosen = [things[dice.integers(len(things))] for _ in range(count)]
    for _, thing in chosen:
        paste(dice, picture, thing)
    return picture, "-".join(name for name, _ in chosen) or "background"


def checks(folder):
    """Photographs of a known class. The cat is cut out without resampling, so that its pixels are the same everywhere."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, path in (("cat", package("skimage", "data/chelsea.png")),
                       ("flower", package("sklearn", "datasets/images/flower.jpg")),
                       ("palace", package("sklearn", "datasets/images/china.jpg"))):
        picture = Image.open(path).convert("RGB")
        if name != "cat":
            factor = SIDE / min(picture.size)
            picture = picture.resize([round(side * factor) for side in picture.size], Image.BILINEAR)
        left, top = ((side - SIDE) // 2 for side in picture.size)
        picture.crop((left, top, left + SIDE, top + SIDE)).save(folder / f"{name}.png")


def main(pool, count, folder, seed=1):
    pool = Path(pool)
    pool.mkdir(parents=True, exist_ok=True)
    checks(Path(folder))
    pictures, things = photographs(), cut_outs()
    print(f"{len(things)} cut-outs, {len(pictures)} backgrounds")
    for number in range(int(count)):
        picture, name = compose(np.random.default_rng([int(seed), number]), pictures, things)
        # A file appears whole or not at all.
        part = pool / f".{number:05}"
        picture.save(part, "JPEG", quality=92, subsampling=0)
        part.rename(pool / f"{number:05}-{name}.jpg")
    print(f"{count} pictures in {pool}")


if __name__ == "__main__":
    main(*sys.argv[1:])

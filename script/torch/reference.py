"""Writes values and input gradients of networks in PyTorch, for `crates/workshop/tests/torch.rs`.

The networks are those of other packages, so that nothing is compared with itself; only the demo network is written here. Their
weights are random. Both sides draw the same ones, see `draw`.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

SIDE = 96
FULL_SIDE = 224
SAMPLES = 6


def draw(name, count):
    """Numbers from 0 to 1 that depend on a name (hashed by FNV-1a) and a place (mixed by SplitMix64)."""
    seed = 0xCBF29CE484222325
    for byte in name.encode():
        seed = (seed ^ byte) * 0x100000001B3 % 2**64
    with np.errstate(over="ignore"):
        z = np.uint64(seed) + np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z = z ^ (z >> np.uint64(31))
    return (z >> np.uint64(40)).astype(np.float64) / 2**24


def weights(name, shape):
    """Kernels keep the size of rectified values; factors are .75 to 1.25; everything else is -.2 to .2."""
    part = name.rsplit(".", 1)[1]
    numbers = draw(name, int(np.prod(shape)))
    if len(shape) > 1:
        numbers = (2 * numbers - 1) * np.sqrt(6 / np.prod(shape[1:]))
    elif part in ("weight", "running_var", "gamma", "variance"):
        numbers = 0.75 + 0.5 * numbers
    else:
        numbers = 0.4 * numbers - 0.2
    return torch.tensor(numbers.astype(np.float32).reshape(shape))


class Demo(nn.Module):
    """The demo network, from its description in `docs/stimuli.md`."""

    BLOCKS = {
        "mixed3a": (48, 16, 24, 32, 4, 8, 8), "mixed3b": (64, 32, 32, 48, 8, 24, 16),
        "mixed4a": (120, 48, 24, 52, 4, 12, 16), "mixed4b": (128, 40, 28, 56, 6, 16, 16),
        "mixed4c": (128, 32, 32, 64, 6, 16, 16), "mixed4d": (128, 28, 36, 72, 8, 16, 16),
        "mixed4e": (132, 64, 40, 80, 8, 32, 32), "mixed5a": (208, 64, 40, 80, 12, 32, 32),
        "mixed5b": (208, 96, 48, 96, 12, 32, 32),
    }

    def __init__(self):
        super().__init__()
        self.units = nn.ModuleDict()
        self.names = {}
        self.unit("conv0", 3, 16, 3, 2)
        self.unit("conv1", 16, 16, 1)
        self.unit("conv2", 16, 48, 3)
        for block, (start, one, three_in, three, five_in, five, pool) in self.BLOCKS.items():
            self.unit(f"{block}/1x1", start, one, 1)
            self.unit(f"{block}/3x3_reduce", start, three_in, 1)
            self.unit(f"{block}/3x3", three_in, three, 3)
            self.unit(f"{block}/5x5_reduce", start, five_in, 1)
            self.unit(f"{block}/5x5", five_in, five, 5)
            self.unit(f"{block}/pool", start, pool, 1)
        self.logits = nn.Linear(256, 50)

    def unit(self, name, start, end, kernel, stride=1):
        conv = nn.Conv2d(start, end, kernel, stride, kernel // 2, bias=False)
        self.units[name] = nn.Sequential(conv, nn.BatchNorm2d(end, eps=1e-3))

    def forward(self, x):
        unit = lambda name, x: self.units[name](x).relu()
        # As TensorFlow pads: an odd rest goes below and right.
        halved = lambda x: nn.functional.max_pool2d(nn.functional.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, 2)
        x = unit("conv2", unit("conv1", halved(unit("conv0", x))))
        x = halved(x)
        for block in self.BLOCKS:
            if block in ("mixed4a", "mixed5a"):
                x = halved(x)
            branches = [
                unit(f"{block}/1x1", x),
                unit(f"{block}/3x3", unit(f"{block}/3x3_reduce", x)),
                unit(f"{block}/5x5", unit(f"{block}/5x5_reduce", x)),
                unit(f"{block}/pool", nn.functional.max_pool2d(x, 3, 1, 1)),
            ]
            x = torch.cat(branches, 1)
        return self.logits(x.mean((2, 3)))

    def load_state_dict(self, state):
        parts = {"0.weight": "weight", "1.weight": "gamma", "1.bias": "beta",
                 "1.running_mean": "mean", "1.running_var": "variance"}
        for name, unit in self.units.items():
            unit.load_state_dict({key: weights(f"{name}.{part}", unit.state_dict()[key].shape)
                                  for key, part in parts.items()}, strict=False)
        self.logits.load_state_dict({key: state[f"logits.{key}"] for key in ("weight", "bias")})


def inception_v1():
    from lucent.modelzoo.inceptionv1.InceptionV1 import InceptionV1

    def node(module):
        name = module.removesuffix("_pre_relu_conv")
        if module == "softmax2_pre_activation_matmul":
            return "logits"
        if name == module:
            return None
        block, _, branch = name.partition("_")
        branch = {"3x3_bottleneck": "3x3_reduce", "5x5_bottleneck": "5x5_reduce", "pool_reduce": "pool"}.get(branch, branch)
        return f"{block}/{branch}" if branch else block

    # By default a part of the gradient passes where a rectification is silent, which helps visualisation but is no gradient.
    return InceptionV1(redirected_ReLU=False), node, 100.0


def googlenet():
    from torchvision.models import GoogLeNet

    branches = {"branch1": "1x1", "branch2.0": "3x3_reduce", "branch2.1": "3x3", "branch3.0": "5x5_reduce",
                "branch3.1": "5x5", "branch4.1": "pool"}

    def node(module):
        if module == "fc":
            return "logits"
        if not module.endswith(".bn"):
            return None
        block, _, branch = module.removesuffix(".bn").partition(".")
        return f"{block.replace('inception', 'mixed')}/{branches[branch]}" if branch else block

    return GoogLeNet(aux_logits=False, transform_input=False, init_weights=False), node, 1.5


def lite0():
    from efficientnet_lite_pytorch import EfficientNet

    parts = {"_bn0": "expand", "_bn1": "depthwise", "_bn2": "project"}
    whole = {"_bn0": "stem", "_bn1": "head", "_fc": "logits"}

    def node(module):
        if module in whole:
            return whole[module]
        steps = module.split(".")
        return f"blocks.{steps[1]}/{parts[steps[2]]}" if len(steps) == 3 and steps[2] in parts else None

    return EfficientNet.from_name("efficientnet-lite0"), node, 1.5


def demo():
    def node(module):
        if module == "logits":
            return module
        return module.removeprefix("units.") if module.count(".") == 1 else None

    return Demo(), node, 1.5


def summary(tensor):
    """The mean size of the values, and some of them with their places."""
    values = tensor.detach().double().flatten()
    places = [(2 * i + 1) * len(values) // (2 * SAMPLES) for i in range(SAMPLES)]
    return {"size": values.abs().mean().item(), "values": [[place, float(f"{values[place]:.7g}")] for place in places]}


def layers(network, node, x):
    """The values of all layers by node."""
    found = {}
    hooks = []
    for name, module in network.named_modules():
        if node(name):
            # A copy, since what follows may overwrite the values.
            keep = lambda _, __, output, name=node(name): found.update({name: output.clone()})
            hooks.append(module.register_forward_hook(keep))
    try:
        network(x)
    except RuntimeError as error:
        # lucent's definition ends with a pool of 7 x 7, which fits pictures of 224 px only.
        print("   ", str(error).splitlines()[0])
    for hook in hooks:
        hook.remove()
    return found


def picture(side, scale):
    return torch.tensor((scale * (2 * draw("input", 3 * side * side) - 1)).astype(np.float32).reshape(1, 3, side, side))


def reference(network, node, scale):
    network.eval()
    network.load_state_dict({name: weights(name, value.shape) if value.is_floating_point() else value
                             for name, value in network.state_dict().items()})
    x = picture(SIDE, scale).requires_grad_()
    result = {"side": SIDE, "scale": scale, "full_side": FULL_SIDE, "layers": {}}
    for name, values in layers(network, node, x).items():
        pattern = torch.tensor((2 * draw("pattern", values.numel()) - 1).astype(np.float32)).reshape(values.shape)
        (gradient,) = torch.autograd.grad((values * pattern).sum(), x, retain_graph=True)
        result["layers"][name] = {"forward": summary(values), "gradient": summary(gradient)}
    with torch.no_grad():
        result["logits"] = summary(layers(network, node, picture(FULL_SIDE, scale))["logits"])
    return result


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    for name, build in {"inception-v1": inception_v1, "googlenet": googlenet, "efficientnet-lite0": lite0, "demo": demo}.items():
        print(name)
        text = json.dumps(reference(*build()), separators=(",", ":"))
        (folder / f"{name}.json").write_text(text.replace('},"', '},\n"') + "\n")

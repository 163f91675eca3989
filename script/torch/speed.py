"""Measures PyTorch on the networks of crates/workshop/benches/speed.rs: ms per image, forward and with the input's gradient."""
import sys
import time

import torch

from reference import demo, inception_v1, lite0

BATCH = 64
RUNS = 3


def best(run):
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times) * 1e3 / BATCH


if __name__ == "__main__":
    print("| PyTorch | forward, ms per image | with input gradient, ms per image |\n|---|---|---|")
    for name, build, size in [("inception-v1", inception_v1, 224), ("efficientnet-lite0", lite0, 224), ("demo", demo, 112)]:
        network, node, _ = build()
        network = network.eval().to(memory_format=torch.channels_last)
        network.requires_grad_(False)
        x = torch.randn(BATCH, 3, size, size).to(memory_format=torch.channels_last)

        def forward():
            with torch.no_grad():
                network(x)

        def gradient():
            leaf = x.clone().requires_grad_()
            network(leaf)[:, 0].mean().backward()

        print(f"| {name}, {size} px | {best(forward):.1f} | {best(gradient):.1f} |")
        sys.stdout.flush()

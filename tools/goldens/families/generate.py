"""Makes tiny seeded checkpoints and their figures from transformers' own modelling code.

    python tools/goldens/families/generate.py --out tools/goldens/data [family …]

CPU, float32, eager attention and experts, one sequence at a time. See tools/goldens/README.md for the format.
"""
import argparse, base64, copy, json, os, shutil, tempfile

import numpy as np
import torch
import transformers

from model import EXPERTS, initialise, load, make_config, robust, run, statistics
from specs import LENGTHS, SPECS
from surgery import described, fuse, prune

torch.set_num_threads(1)
RATIOS = (25, 50)


def write(value, folder, name, indent=None):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(value, file, indent=indent)


def drawn(seed, vocabulary):
    rng = np.random.default_rng(seed)
    return [rng.integers(3, vocabulary, n).tolist() for n in LENGTHS]


def kept(reap, ratio, groups):
    """Indices kept when the lowest are removed, equally from each contiguous group; and the gap at the cuts."""
    size = EXPERTS // groups
    n, keep, gap = EXPERTS * ratio // 100 // groups, [], float("inf")
    for first in range(0, EXPERTS, size):
        order = sorted(range(first, first + size), key=lambda j: (reap[j], j))
        gap = min(gap, (reap[order[n]] - reap[order[n - 1]]) / max(reap[order[n]], 1e-12))
        keep += order[n:]
    return sorted(keep), gap


def figures(spec, model, sequences):
    """Everything of one forward pass, or None where a decision hangs on rounding."""
    baseline, seen, after, logits_last = run(model, sequences)
    layers = statistics(model, spec["scoring"], seen)
    groups = spec["args"].get("n_group", 1)
    gap = min(kept(d["model"]["reap"], ratio, groups)[1] for d in layers for ratio in RATIOS)
    if gap < 0.01 or not robust(model, seen, sequences):
        return None
    packed = [base64.b64encode(t.float().contiguous().numpy().tobytes()).decode() for t in after]
    picked = sum(int((index >= EXPERTS).sum()) for calls in seen.values() for _, index, _ in calls)
    report = dict(boundary=gap, choice=min(d["min_choice_gap"] for d in layers), identity=picked)
    return dict(baseline=baseline, logits_last=logits_last, hidden_after_layer=packed, layers=layers), report


def pruned(spec, folder, layers, sequences):
    out = {}
    for ratio in RATIOS:
        keep = {d["layer"]: kept(d["model"]["reap"], ratio, spec["args"].get("n_group", 1))[0] for d in layers}
        with tempfile.TemporaryDirectory() as tmp:
            changed = prune(folder, tmp, keep, spec["count"], EXPERTS)
            result = run(load(spec["cls"], tmp), sequences)[0]
            out[str(ratio)] = dict(retained={str(k): v for k, v in keep.items()},
                                   n_pruned_per_layer=EXPERTS * ratio // 100, config_changes=changed,
                                   eval=dict(mean_nll=result["mean_nll"]), tensors=described(tmp))
    return out


def hub_spelling(spec, folder, hub, sequences, expected):
    """Does the hub's config.json load in this transformers, and to the same figures?"""
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copy(os.path.join(folder, "model.safetensors"), tmp)
        write(hub, tmp, "config.json")
        try:
            found = run(load(spec["cls"], tmp), sequences)[0]["mean_nll"]
            return dict(loads=True, mean_nll=found, equal=abs(found - expected) < 1e-6)
        except Exception as error:
            return dict(loads=False, error=f"{type(error).__name__}: {str(error)[:200]}")


def patched(config, changes):
    """(the config with dotted keys replaced, {key: [old, new]})."""
    out, record = copy.deepcopy(config), {}
    for dotted, value in changes.items():
        *path, last = dotted.split(".")
        at = out
        for key in path:
            at = at[key]
        record[dotted] = [at.get(last), value]
        at[last] = value
    return out, record


def variant(spec, folder, change):
    """The same weights under another config, with sequences of its own."""
    ours = dict(spec, args={**spec["args"], **change.get("args", {})})
    config, recorded = patched(json.load(open(os.path.join(folder, "config.json"))), change["config"])
    hub, recorded_hub = patched(json.load(open(os.path.join(folder, "config.v4.json"))), change["config_v4"])
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copy(os.path.join(folder, "model.safetensors"), tmp)
        write(config, tmp, "config.json")
        for seed in range(1, 400):
            sequences = drawn(20000 + seed, spec["args"]["vocab_size"])
            found = figures(ours, load(spec["cls"], tmp), sequences)
            if found is None:
                continue
            result, report = found
            v4 = hub_spelling(ours, tmp, hub, sequences, result["baseline"]["mean_nll"])
            if change.get("pruned"):
                result["pruned"] = pruned(ours, tmp, result["layers"], sequences)
            if change.get("repaired"):
                as_is = run(load(spec["cls"], tmp, repaired=False), sequences)[0]
                result["unrepaired_mean_nll"] = as_is["mean_nll"]
            print(f"  {change['name']}: seed {seed}, {report}, v4 {v4}", flush=True)
            return dict(name=change["name"], seed=seed, config_changes=recorded, config_v4_changes=recorded_hub,
                        config_v4=v4, input_ids=sequences, **result)
    raise SystemExit(f"{change['name']}: no seed")


def generate(name, out):
    spec = SPECS[name]
    for seed in range(1, 200):
        model = getattr(transformers, spec["cls"])(make_config(spec)).eval()
        initialise(model, seed, 2.5)
        sequences = drawn(9000 + seed, spec["args"]["vocab_size"])
        found = figures(spec, model, sequences)
        if found is not None:
            break
    else:
        raise SystemExit(f"{name}: no seed")
    result, report = found
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    os.chmod(os.path.join(folder, "model.safetensors"), 0o644)
    generation = os.path.join(folder, "generation_config.json")
    if os.path.exists(generation):
        os.remove(generation)
    if spec.get("fused"):
        fuse(folder)
    again = run(load(spec["cls"], folder), sequences)[0]["mean_nll"]
    nll = result["baseline"]["mean_nll"]
    assert abs(again - nll) < 1e-6, (again, nll)
    hub = spec["v4"](json.load(open(os.path.join(folder, "config.json"))))
    write(hub, folder, "config.v4.json", indent=2)
    v4 = hub_spelling(spec, folder, hub, sequences, nll)
    cut = pruned(spec, folder, result["layers"], sequences)
    print(f"{name}: seed {seed}, {report}, nll {nll:.4f}, v4 {v4}", flush=True)
    variants = [variant(spec, folder, change) for change in spec.get("variants", [])]
    write({"input_ids": sequences}, folder, "input_ids.json")
    golden = dict(name=name, seed=seed, versions=dict(transformers=transformers.__version__, torch=torch.__version__),
                  config_v4=v4, **result, pruned=cut)
    write(golden | (dict(variants=variants) if variants else {}), folder, "golden.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("families", nargs="*")
    arguments = parser.parse_args()
    for family in arguments.families or SPECS:
        generate(family, arguments.out)

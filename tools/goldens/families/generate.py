"""Makes tiny seeded checkpoints and their figures from transformers' own modelling code.

    python tools/goldens/families/generate.py --out tools/goldens/data [family …]

CPU, float32, eager attention and experts, one sequence at a time. See tools/goldens/README.md for the format.
"""
import argparse, base64, copy, hashlib, json, os, re, shutil, tempfile

import numpy as np
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import save_file

from specs import LENGTHS, SPECS

torch.set_num_threads(1)
EXPERT = re.compile(r"^(.*\.experts\.)(\d+)(\..+)$")
FUSED = re.compile(r"\.experts\.(?:gate_up_proj|down_proj)$|\.(?:input|output)_linear\.weight$")
ROUTER = re.compile(r"\.(?:gate|router|gate\.wg|router\.layer|router\.classifier)\.weight$")
BIAS = re.compile(r"(?:e_score_correction_bias|expert_bias)$")
LAYER = re.compile(r"\.layers\.(\d+)\.")


def make_config(spec):
    cls = getattr(transformers, spec["config"])
    if spec.get("nested"):
        args = dict(spec["args"])
        config = cls(text_config=args, vision_config=spec["vision"], tie_word_embeddings=False)
        config._attn_implementation = "eager"
    else:
        config = cls(**spec["args"])
    for part in (config, getattr(config, "text_config", None)):
        if part is not None:
            part._attn_implementation = "eager"
            part._experts_implementation = "eager"
            part.dtype = torch.float32
    return config


def initialise(model, seed, decisive):
    """Every part matters: outputs of the order of the residual stream, no bias or scale left at its default."""
    g = torch.Generator().manual_seed(seed)
    rand = lambda shape, std: torch.randn(shape, generator=g) * std
    zero_centred = {"Qwen3NextRMSNorm", "Qwen3_5MoeRMSNorm"}
    with torch.no_grad():
        for path, module in model.named_modules():
            kind = type(module).__name__
            for name, p in list(module.named_parameters(recurse=False)) + list(module.named_buffers(recurse=False)):
                if "inv_freq" in name or not p.is_floating_point():
                    continue
                if name == "A_log":
                    p.copy_(torch.log(1 + 3 * torch.rand(p.shape, generator=g)))
                elif "Norm" in kind and name == "weight":
                    p.copy_((0 if kind in zero_centred else 1) + rand(p.shape, 0.15))
                elif p.ndim == 1:
                    p.copy_(rand(p.shape, 0.2 if "bias" in name else 0.5))
                elif isinstance(module, torch.nn.Embedding):
                    p.copy_(rand(p.shape, 1.0))
                elif "router" in path or path.endswith("gate") or path.endswith("gate.wg"):
                    p.copy_(rand(p.shape, decisive / p.shape[-1] ** 0.5))
                elif p.ndim == 3 and "conv" in path:
                    p.copy_(rand(p.shape, 0.5))
                else:
                    p.copy_(rand(p.shape, 1.2 / p.shape[-1] ** 0.5))


def experts_of(model):
    """(layer, experts module) of every MoE block, by the first integer after `layers`."""
    return [(int(LAYER.search(f".{n}.").group(1)), m) for n, m in model.named_modules()
            if n.endswith(".experts") and "layers" in n]


@torch.no_grad()
def run(model, sequences, expected):
    """NLL, hidden states after each layer of sequence 0, and each MoE block's (x, selected, weights)."""
    seen = {layer: [] for layer, _ in experts_of(model)}
    hooks = []
    for layer, module in experts_of(model):
        def hook(_, args, kwargs, layer=layer):
            tensors = list(args) + list(kwargs.values())
            index = next(t for t in tensors if torch.is_tensor(t) and not t.is_floating_point())
            floats = [t for t in tensors if torch.is_tensor(t) and t.is_floating_point()]
            x = floats[0].reshape(-1, floats[0].shape[-1])
            w = next(t for t in floats[1:] if t.shape[-1] == index.shape[-1])
            seen[layer].append((x.clone(), index.reshape(x.shape[0], -1).clone(), w.reshape(x.shape[0], -1).clone()))
        hooks.append(module.register_forward_pre_hook(hook, with_kwargs=True))
    layers = next(m for n, m in model.named_modules() if n.endswith("layers") and isinstance(m, torch.nn.ModuleList)
                  and "visual" not in n)
    after = []
    per_sequence, logits_last = [], None
    for s, ids in enumerate(sequences):
        taps = []
        if s == 0:
            for module in layers:
                taps.append(module.register_forward_hook(
                    lambda _, __, out: after.append((out[0] if isinstance(out, tuple) else out)[0].clone())))
        logits = model(input_ids=torch.tensor([ids])).logits[0].double()
        for tap in taps:
            tap.remove()
        if s == 0:
            logits_last = logits[-1].tolist()
        nll = -torch.log_softmax(logits[:-1], -1).gather(1, torch.tensor(ids[1:])[:, None]).sum().item() if len(ids) > 1 else 0.0
        per_sequence.append(nll)
    for hook in hooks:
        hook.remove()
    n = sum(len(ids) - 1 for ids in sequences)
    return dict(nll_sum=sum(per_sequence), n_predicted_tokens=n, mean_nll=sum(per_sequence) / n,
                per_sequence=per_sequence), seen, after, logits_last


@torch.no_grad()
def statistics(model, seen, experts):
    out = []
    for layer, module in experts_of(model):
        freq = torch.zeros(experts, dtype=torch.int64)
        ean, wean, wsq, wfreq = (torch.zeros(experts, dtype=torch.float64) for _ in range(4))
        largest = torch.zeros(experts)
        for x, index, weight in seen[layer]:
            for j in range(experts):
                rows, place = torch.where(index == j)
                if rows.numel() == 0:
                    continue
                # A second expert of weight 0: some modules take no single one.
                pair = torch.tensor([[j, (j + 1) % experts]]).expand(rows.numel(), 2)
                y = module(x[rows], pair, torch.tensor([[1.0, 0.0]]).expand(rows.numel(), 2)).float()
                norm = torch.linalg.norm(y, dim=-1).double()
                gate = weight[rows, place].double()
                freq[j] += rows.numel()
                ean[j] += norm.sum()
                wean[j] += (gate * norm).sum()
                wsq[j] += ((gate * norm) ** 2).sum()
                wfreq[j] += gate.sum()
                largest[j] = max(largest[j], y.abs().max())
        n = freq.clamp(min=1).double()
        out.append(dict(layer=layer, num_experts=experts, top_k=seen[layer][0][1].shape[1],
                        tokens=sum(x.shape[0] for x, _, _ in seen[layer]),
                        model=dict(expert_frequency=freq.tolist(), ean_sum=ean.tolist(), ean_mean=(ean / n).tolist(),
                                   weighted_ean_sum=wean.tolist(), reap=(wean / n).tolist(),
                                   weighted_expert_frequency_sum=wfreq.tolist(), weighted_ean_sq_sum=wsq.tolist(),
                                   max_abs_activation=largest.double().tolist())))
    return sorted(out, key=lambda d: d["layer"])


def tensors_of(folder):
    out = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".safetensors"):
            with safe_open(os.path.join(folder, name), "pt") as f:
                for key in f.keys():
                    out[key] = f.get_tensor(key)
    return out


def described(folder):
    return {k: dict(dtype="F32", shape=list(t.shape), sha256=hashlib.sha256(t.contiguous().numpy().tobytes()).hexdigest())
            for k, t in sorted(tensors_of(folder).items())}


def set_count(config, key, experts, kept):
    changed = {}
    for part in (config, config.get("text_config") or {}):
        if key in part:
            changed[key] = [part[key], kept if isinstance(part[key], int) else [kept] * len(part[key])]
            part[key] = changed[key][1]
    assert changed, key
    return changed


def prune(source, target, keep, count, experts):
    os.makedirs(target, exist_ok=True)
    out = {}
    for name, t in tensors_of(source).items():
        layer = LAYER.search(name)
        ks = keep.get(int(layer.group(1))) if layer else None
        m = EXPERT.match(name)
        if ks is not None and m and "shared" not in name:
            e = int(m.group(2))
            if e in ks or e >= experts:  # transformers 5.18 writes unused weights of LongCat's identity experts too
                out[f"{m.group(1)}{ks.index(e) if e < experts else len(ks) + e - experts}{m.group(3)}"] = t
            continue
        if ks is not None and FUSED.search(name):
            t = t[torch.tensor(ks)]
        elif ks is not None and (ROUTER.search(name) or BIAS.search(name)) and t.shape[0] >= experts:
            t = t[torch.tensor(ks + list(range(experts, t.shape[0])))]
        out[name] = t.contiguous()
    save_file(out, os.path.join(target, "model.safetensors"), metadata={"format": "pt"})
    config = json.load(open(os.path.join(source, "config.json")))
    changed = set_count(config, count, experts, len(next(iter(keep.values()))))
    json.dump(config, open(os.path.join(target, "config.json"), "w"), indent=2)
    return changed


def fuse(folder):
    """Experts as the hub stores them for this family: one tensor each, where save_pretrained writes them one by one."""
    parts, out = {}, {}
    for name, t in tensors_of(folder).items():
        m = EXPERT.match(name)
        if m is None:
            out[name] = t
        else:
            parts.setdefault(m.group(1), {}).setdefault(int(m.group(2)), {})[m.group(3)] = t
    for prefix, experts in parts.items():
        rows = [experts[e] for e in sorted(experts)]
        out[f"{prefix}gate_up_proj"] = torch.stack([torch.cat([r[".gate_proj.weight"], r[".up_proj.weight"]]) for r in rows])
        out[f"{prefix}down_proj"] = torch.stack([r[".down_proj.weight"] for r in rows])
    save_file(out, os.path.join(folder, "model.safetensors"), metadata={"format": "pt"})


def load(cls, folder):
    model, info = getattr(transformers, cls).from_pretrained(folder, output_loading_info=True, dtype=torch.float32,
                                                             attn_implementation="eager")
    for part in (model.config, getattr(model.config, "text_config", None)):
        if part is not None:
            part._experts_implementation = "eager"
    bad = {k: sorted(map(str, v)) for k, v in info.items() if v}
    assert not bad, (folder, bad)
    return model.eval()


def robust(model, seen, sequences):
    """No decision may hang on rounding: weights moved by 3e-6 give the same choices."""
    moved = copy.deepcopy(model)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in moved.parameters():
            p.mul_(1 + 3e-6 * torch.randn(p.shape, generator=g))
    _, again, _, _ = run(moved, sequences, None)
    return all(torch.equal(a[1].sort(-1)[0], b[1].sort(-1)[0]) for k in seen for a, b in zip(seen[k], again[k]))


def boundary_gap(reap, n):
    s = sorted(reap)
    return (s[n] - s[n - 1]) / max(s[n], 1e-12)


def generate(name, out):
    spec = SPECS[name]
    experts = 8
    for seed in range(1, 200):
        config = make_config(spec)
        model = getattr(transformers, spec["cls"])(config).eval()
        initialise(model, seed, 2.5)
        rng = np.random.default_rng(9000 + seed)
        sequences = [rng.integers(3, spec["args"]["vocab_size"], n).tolist() for n in LENGTHS]
        baseline, seen, after, logits_last = run(model, sequences, None)
        layers = statistics(model, seen, experts)
        gap = min(boundary_gap(d["model"]["reap"], n) for d in layers for n in (2, 4))
        if gap < 0.01 or not robust(model, seen, sequences):
            continue
        break
    else:
        raise SystemExit(f"{name}: no seed")
    folder = os.path.join(out, name)
    shutil.rmtree(folder, ignore_errors=True)
    model.save_pretrained(folder)
    for extra in ("generation_config.json",):
        if os.path.exists(os.path.join(folder, extra)):
            os.remove(os.path.join(folder, extra))
    if spec.get("fused"):
        fuse(folder)
    reloaded = load(spec["cls"], folder)
    again, _, _, _ = run(reloaded, sequences, None)
    assert abs(again["mean_nll"] - baseline["mean_nll"]) < 1e-6, (again["mean_nll"], baseline["mean_nll"])
    config = json.load(open(os.path.join(folder, "config.json")))
    hub = spec["v4"](copy.deepcopy(config))
    json.dump(hub, open(os.path.join(folder, "config.v4.json"), "w"), indent=2)
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copy(os.path.join(folder, "model.safetensors"), tmp)
        json.dump(hub, open(os.path.join(tmp, "config.json"), "w"))
        try:
            hub_nll = run(load(spec["cls"], tmp), sequences, None)[0]["mean_nll"]
            v4 = dict(loads=True, mean_nll=hub_nll, equal=abs(hub_nll - baseline["mean_nll"]) < 1e-6)
        except Exception as e:
            v4 = dict(loads=False, error=f"{type(e).__name__}: {str(e)[:200]}")
    pruned = {}
    for ratio in (25, 50):
        n = experts * ratio // 100
        keep = {d["layer"]: sorted(sorted(range(experts), key=lambda j: (d["model"]["reap"][j], j))[n:]) for d in layers}
        with tempfile.TemporaryDirectory() as tmp:
            changed = prune(folder, tmp, keep, spec["count"], experts)
            result, _, _, _ = run(load(spec["cls"], tmp), sequences, None)
            pruned[str(ratio)] = dict(retained={str(k): v for k, v in keep.items()}, n_pruned_per_layer=n,
                                      config_changes=changed, eval=dict(mean_nll=result["mean_nll"]),
                                      tensors=described(tmp))
    b64 = lambda t: base64.b64encode(t.float().contiguous().numpy().tobytes()).decode()
    json.dump({"input_ids": sequences}, open(os.path.join(folder, "input_ids.json"), "w"))
    json.dump(dict(name=name, seed=seed, versions=dict(transformers=transformers.__version__, torch=torch.__version__),
                   config_v4=v4, baseline=baseline, logits_last=logits_last,
                   hidden_after_layer=[b64(t) for t in after], layers=layers, pruned=pruned),
              open(os.path.join(folder, "golden.json"), "w"))
    size = sum(os.path.getsize(os.path.join(folder, f)) for f in os.listdir(folder))
    zero = [int((i >= experts).sum()) for d in seen.values() for _, i, _ in d]
    print(f"{name}: seed {seed}, gap {gap:.3f}, nll {baseline['mean_nll']:.4f}, v4 {v4}, {size // 1000} kB, identity {sum(zero)}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", required=True)
    parser.add_argument("families", nargs="*")
    args = parser.parse_args()
    for family in args.families or SPECS:
        try:
            generate(family, args.out)
        except Exception as error:
            import traceback
            traceback.print_exc(limit=6)
            print("FAILED", family, type(error).__name__, str(error)[:300], flush=True)

"""Seeded tiny models, and what their forward pass does with the sequences."""
import copy

import torch
import transformers
from transformers.utils import logging

from choices import choice_gap
from surgery import LAYER

logging.disable_progress_bar()
logging.set_verbosity_error()
EXPERTS = 8

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


def blocks_of(model):
    """(layer, name) of the modules that hold router and experts."""
    return [(int(LAYER.search(f".{n}.").group(1)), n.removesuffix(".experts")) for n, _ in model.named_modules()
            if n.endswith(".experts") and "layers" in n]


@torch.no_grad()
def run(model, sequences):
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
        log_p = torch.log_softmax(logits[:-1], -1)
        per_sequence.append(-log_p.gather(1, torch.tensor(ids[1:], dtype=torch.int64)[:, None]).sum().item())
    for hook in hooks:
        hook.remove()
    n = sum(len(ids) - 1 for ids in sequences)
    return dict(nll_sum=sum(per_sequence), n_predicted_tokens=n, mean_nll=sum(per_sequence) / n,
                per_sequence=per_sequence), seen, after, logits_last


@torch.no_grad()
def statistics(model, scoring, seen):
    """Sums per expert of each MoE layer, norms in float32 and sums in float64, with the gates that the model used."""
    out, experts = [], EXPERTS
    blocks = {layer: model.get_submodule(name) for layer, name in blocks_of(model)}
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
                                   max_abs_activation=largest.double().tolist()),
                        min_choice_gap=min(choice_gap(blocks[layer], scoring, *call[:2]) for call in seen[layer])))
    return sorted(out, key=lambda d: d["layer"])


def restore_long_factors(model):
    """Phi-3.5-MoE's rotary table with the long factors, as every transformers before 5.18 computes it.

    5.18 dropped the length from this call: it takes long_mscale, and the short factors for every length.
    """
    rotary = next((m for m in model.modules() if type(m).__name__ == "PhimoeRotaryEmbedding"), None)
    if rotary is None or rotary.rope_type != "longrope":
        return
    lengths, compute = [], rotary.rope_init_fn
    rotary.register_forward_pre_hook(
        lambda _, args, kwargs: lengths.append(int((kwargs.get("position_ids", args[-1])).max()) + 1), with_kwargs=True)
    rotary.rope_init_fn = lambda config: compute(config, seq_len=lengths[-1])


def load(cls, folder, repaired=True):
    model, info = getattr(transformers, cls).from_pretrained(folder, output_loading_info=True, dtype=torch.float32,
                                                             attn_implementation="eager")
    for part in (model.config, getattr(model.config, "text_config", None)):
        if part is not None:
            part._experts_implementation = "eager"
    bad = {k: sorted(map(str, v)) for k, v in info.items() if v}
    assert not bad, (folder, bad)
    if repaired:
        restore_long_factors(model)
    return model.eval()


def robust(model, seen, sequences):
    """No decision may hang on rounding: weights moved by 3e-6 give the same choices."""
    moved = copy.deepcopy(model)
    g = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in moved.parameters():
            p.mul_(1 + 3e-6 * torch.randn(p.shape, generator=g))
    _, again, _, _ = run(moved, sequences)
    return all(torch.equal(a[1].sort(-1)[0], b[1].sort(-1)[0]) for k in seen for a, b in zip(seen[k], again[k]))

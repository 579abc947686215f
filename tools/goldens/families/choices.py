"""How far each routing decision is from another one, restated in f64 from the router's formula."""
import torch


def router_of(block):
    """(the module that holds top-k and groups, weight of the logits, correction bias or None), in f64."""
    router = block.router if hasattr(block, "router") else block.gate
    linear = getattr(router, "wg", getattr(router, "classifier", router))
    bias = getattr(router, "e_score_correction_bias", None)
    if bias is None:
        bias = getattr(block, "expert_bias", None)
    return router, linear.weight.double(), None if bias is None else bias.double()


def sparsemixer_gap(logits, epsilon):
    """Gap of both maxima, and distance of every other logit from the threshold 2ε that masks it."""
    gap, scores = float("inf"), logits.clone()
    for _ in range(2):
        top = scores.sort(-1, descending=True)
        best = top.values[:, :1]
        gap = min(gap, (top.values[:, 0] - top.values[:, 1]).min().item())
        ratio = (best - logits) / torch.maximum(logits.abs(), best)
        others = torch.isfinite(scores) & (scores < best)
        gap = min(gap, (ratio - 2 * epsilon).abs()[others].min().item())
        scores = scores.scatter(1, top.indices[:, :1], float("-inf"))
    return gap


def choice_gap(block, scoring, x, selected):
    """Smallest margin, in the score ranked by, of any choice of a group or an expert. Fails if the choice differs."""
    router, weight, bias = router_of(block)
    logits = x.double() @ weight.T
    k = selected.shape[1]
    scores = {"softmax": lambda z: z.softmax(-1), "sigmoid": torch.sigmoid}.get(scoring, lambda z: z)(logits)
    if bias is not None:
        scores = scores + bias
    gap = float("inf")
    groups = getattr(router, "num_group", 1)
    if groups > 1:
        sums = scores.view(len(x), groups, -1).topk(2, -1).values.sum(-1).sort(-1, descending=True)
        if router.topk_group < groups:
            gap = (sums.values[:, router.topk_group - 1] - sums.values[:, router.topk_group]).min().item()
        kept = torch.zeros(len(x), groups, dtype=torch.bool).scatter(1, sums.indices[:, :router.topk_group], True)
        scores = scores.masked_fill(~kept.repeat_interleave(scores.shape[1] // groups, 1), float("-inf"))
    top = scores.sort(-1, descending=True)
    assert torch.equal(top.indices[:, :k].sort(-1).values, selected.sort(-1).values), "another choice in f64"
    if scoring == "sparsemixer":
        return min(gap, sparsemixer_gap(logits, router.router_jitter_noise))
    return min(gap, (top.values[:, k - 1] - top.values[:, k]).min().item())

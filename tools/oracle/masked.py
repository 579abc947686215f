#!/usr/bin/env python3
"""The loss of the unpruned model with a plan's dropped experts out of the router's reach, in transformers, float32.

    masked.py --model DIR --plan plan.json [--corpora public/demo/corpora | --tokens ids.json] [--domains python,c]

Runs transformers' own forward; only the router logits of the dropped experts become minus infinity. Prints JSON: mean
loss in nats a token of each domain, with the mask and without.
"""
import argparse
import json
import re

import torch
import torch.nn.functional as F
from torch.overrides import TorchFunctionMode
from transformers import AutoModelForCausalLM, AutoTokenizer

from losses import domain_losses, read_domains


class MaskedRouters(TorchFunctionMode):
    """Puts minus infinity into what torch's linear gives for a router's weight."""

    def __init__(self, dropped):
        super().__init__()
        self.dropped = dropped  # id of the router's weight -> indices of the dropped experts
        self.hits = set()

    def __torch_function__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        if function is F.linear:
            weight = args[1] if len(args) > 1 else kwargs['weight']
            drop = self.dropped.get(id(weight))
            if drop is not None:
                self.hits.add(id(weight))
                result = result.index_fill(-1, drop, float('-inf'))
        return result


def routers(model, plan):
    """Router weight of each layer that the plan names: the one called gate or router with a row for each expert."""
    found = {}
    for name, weight in model.named_parameters():
        match = re.search(r'layers\.(\d+)\.(?:mlp|block_sparse_moe|feed_forward)\.(?:gate|router)\.weight$', name)
        if match:
            found[int(match[1])] = weight
    dropped = {}
    for layer in plan['layers']:
        weight = found.get(layer['layer'])
        if weight is None or weight.shape[0] != layer['experts']:
            raise SystemExit(f'layer {layer["layer"]} of the model has no router over {layer["experts"]} experts')
        if sorted(layer['keep'] + layer['drop']) != list(range(layer['experts'])):
            raise SystemExit(f'layer {layer["layer"]} of the plan does not keep or drop each expert once')
        dropped[id(weight)] = torch.tensor(layer['drop'], dtype=torch.long)
    return dropped


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--model', required=True)
    parser.add_argument('--plan', required=True)
    parser.add_argument('--corpora', default='public/demo/corpora')
    parser.add_argument('--tokens')
    parser.add_argument('--domains', help='only these, by name, separated by commas')
    arguments = parser.parse_args()

    with open(arguments.plan, encoding='utf-8') as file:
        plan = json.load(file)
    if plan.get('format') != 'reap-studio/plan' or plan.get('version') != 1:
        raise SystemExit(f'{arguments.plan} is not a reap-studio plan of version 1')
    model = AutoModelForCausalLM.from_pretrained(arguments.model, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(arguments.model)
    domains = read_domains(arguments.corpora, arguments.tokens, tokenizer)
    if arguments.domains:
        domains = {name: domains[name] for name in arguments.domains.split(',')}

    mask = MaskedRouters(routers(model, plan))
    unmasked = domain_losses(model, domains)
    with mask:
        masked = domain_losses(model, domains)
    if mask.hits != set(mask.dropped):
        raise SystemExit('a router of this model does not run through torch.nn.functional.linear: nothing was masked there')
    print(json.dumps({'model': arguments.model, 'plan': arguments.plan, 'masked': masked, 'unmasked': unmasked}, indent=2))


if __name__ == '__main__':
    main()

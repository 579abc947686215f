#!/usr/bin/env python3
"""Does transformers load an exported checkpoint, does it write text, and what is its loss?

    reload.py DIR [--corpora public/demo/corpora | --tokens ids.json | --no-loss]

Fails (exit 1) when a key is missing, unexpected or of another shape. Prints JSON: what loading said, the greedy
continuation of three prompts, and the mean loss in nats a token of each domain's evaluation slice, in float32.
"""
import argparse
import json
import math
import sys

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from losses import domain_losses, read_domains

PROMPTS = ['def read_lines(path):\n', 'It was a fine morning, and', '3 + 4 = 7\n12 - 5 = 7\n37 + 48 =']
NEW_TOKENS = 24


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('directory')
    parser.add_argument('--corpora', default='public/demo/corpora')
    parser.add_argument('--tokens')
    parser.add_argument('--no-loss', action='store_true')
    arguments = parser.parse_args()

    # Shapes that differ are to be reported with the rest, not to end the loading half-way.
    model, info = AutoModelForCausalLM.from_pretrained(
        arguments.directory, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True)
    model.eval()
    loading = {key: sorted(str(entry) for entry in value) for key, value in info.items() if value}
    report = {
        'directory': arguments.directory,
        'loading': loading,
        'experts': getattr(model.config, 'num_experts', None) or getattr(model.config, 'num_local_experts', None),
        'parameters': sum(parameter.numel() for parameter in model.parameters()),
    }
    if not loading:
        tokenizer = AutoTokenizer.from_pretrained(arguments.directory)
        report['texts'] = [write(model, tokenizer, prompt) for prompt in PROMPTS]
        if not arguments.no_loss:
            report['losses'] = domain_losses(model, read_domains(arguments.corpora, arguments.tokens, tokenizer))
    print(json.dumps(report, indent=2, ensure_ascii=False))
    if loading:
        sys.exit(f'transformers reports {", ".join(sorted(loading))} for {arguments.directory}')
    if not all(math.isfinite(loss) for loss in report.get('losses', {}).values() if loss is not None):
        sys.exit('a loss is not finite')


@torch.no_grad()
def write(model, tokenizer, prompt):
    ids = torch.tensor([tokenizer.encode(prompt)])
    written = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=NEW_TOKENS, do_sample=False,
                             pad_token_id=tokenizer.eos_token_id, temperature=None, top_k=None, top_p=None)
    return {'prompt': prompt, 'text': tokenizer.decode(written[0][ids.shape[1]:])}


if __name__ == '__main__':
    main()

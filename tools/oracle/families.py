#!/usr/bin/env python3
"""Does every family's export load in transformers, and is its loss that of the masked model?

    families.py GOLDENS… [--only name,…] [--markdown]

GOLDENS are folders of tiny checkpoints (`input_ids.json` and `config.json` in each), such as tools/goldens/data. For
each the built command line (`npm run build` first) calibrates, plans at 25 % and 50 %, measures the masked model, exports and verifies;
then transformers loads the export in float32 and measures the same sequences. Fails (exit 1) on a missing, unexpected
or mismatched key, and where the two losses differ by more than 1e-5 nats a token.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F
import transformers
from transformers.utils import logging

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(2)
CLI = pathlib.Path(__file__).parents[2] / 'dist' / 'cli' / 'reap-studio.mjs'
LIMIT = 1e-5


def studio(*arguments):
    run = subprocess.run(['node', str(CLI), *map(str, arguments)], capture_output=True, text=True)
    if run.returncode != 0:
        raise SystemExit(f'reap-studio {" ".join(map(str, arguments))}\n{run.stderr}')
    return run.stdout


def quantisation(config):
    """Eight-bit floats are dequantised on loading: their kernels want a GPU."""
    if 'quantization_config' not in config:
        return {}
    return {'quantization_config': transformers.FineGrainedFP8Config(
        weight_block_size=config['quantization_config']['weight_block_size'], dequantize=True)}


@torch.no_grad()
def loss_in_transformers(folder, sequences):
    config = json.loads((folder / 'config.json').read_text('utf-8'))
    cls = getattr(transformers, config['architectures'][0])
    model, info = cls.from_pretrained(folder, dtype=torch.float32, output_loading_info=True, attn_implementation='eager',
                                      ignore_mismatched_sizes=True, **quantisation(config))
    for part in (model.config, getattr(model.config, 'text_config', None)):
        if part is not None:
            part._experts_implementation = 'eager'
    model.eval()
    loading = {key: sorted(map(str, value)) for key, value in info.items() if value}
    total, predicted = 0.0, 0
    for ids in sequences:
        if len(ids) < 2:
            continue
        logits = model(input_ids=torch.tensor([ids])).logits[0, :-1].double()
        total += F.cross_entropy(logits, torch.tensor(ids[1:]), reduction='sum').item()
        predicted += len(ids) - 1
    return total / predicted, loading


def check(folder, ratio, stats, tmp):
    ids = tmp / 'ids.json'
    plan, out = tmp / f'{ratio}.plan.json', tmp / f'pruned-{ratio}'
    studio('plan', '--stats', stats, '--model', folder, '--ratio', ratio, '--out', plan)
    masked = json.loads(studio('evaluate', folder, '--tokens', ids, '--plan', plan, '--json'))
    studio('export', folder, '--plan', plan, '--out', out)
    studio('verify', out, '--source', folder)
    sequences = json.loads(ids.read_text('utf-8'))
    loss, loading = loss_in_transformers(out, sequences)
    return dict(family=folder.name, ratio=ratio, kept=len(json.loads(plan.read_text('utf-8'))['layers'][0]['keep']),
                masked=masked[0]['pruned']['meanNll'], exported=loss, loading=loading)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('goldens', nargs='+')
    parser.add_argument('--only')
    parser.add_argument('--markdown', action='store_true')
    arguments = parser.parse_args()
    only = arguments.only.split(',') if arguments.only else None
    folders = [folder for root in arguments.goldens for folder in sorted(pathlib.Path(root).iterdir())
               if (folder / 'input_ids.json').exists() and (only is None or folder.name in only)]
    failed = 0
    if arguments.markdown:
        print('| checkpoint | kept | keys | masked, in the studio | exported, in transformers |\n| --- | --- | --- | --- | --- |')
    for folder in folders:
        with tempfile.TemporaryDirectory() as name:
            tmp = pathlib.Path(name)
            source = tmp / folder.name
            source.mkdir()
            for file in folder.iterdir():
                if file.name == 'config.json' or file.name.startswith('model'):
                    os.symlink(file.resolve(), source / file.name)
            content = json.loads((folder / 'input_ids.json').read_text('utf-8'))
            (tmp / 'ids.json').write_text(json.dumps(content['input_ids']), 'utf-8')
            stats = tmp / 'stats.json'
            studio('calibrate', source, '--tokens', tmp / 'ids.json', '--out', stats)
            for ratio in (0.25, 0.5):
                row = check(source, ratio, stats, tmp)
                right = not row['loading'] and abs(row['masked'] - row['exported']) <= LIMIT
                failed += not right
                if arguments.markdown:
                    keys = 'all match' if not row['loading'] else ', '.join(row['loading'])
                    print(f"| {row['family']} | {row['kept']} | {keys} | {row['masked']:.6f} | {row['exported']:.6f} |", flush=True)
                else:
                    print(json.dumps(row | {'right': right}), flush=True)
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()

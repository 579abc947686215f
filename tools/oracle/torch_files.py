#!/usr/bin/env python3
"""Files of torch.save, and what torch reads from them, which the tests of src/core/pickle and src/core/imports compare with.

    torch_files.py [--goldens GOLDENS] [--pickle src/core/pickle/fixtures] [--imports src/core/imports/fixtures]

tensors.pt: all dtypes, views with strides, shared storages, nested containers; saved by pickle protocols 2 to 5, deflated,
and in the form before torch 1.6. observer-*.pt: the state that the reference's observer saves, made of the figures that
its own code gave on the golden checkpoints: without --goldens they are left as they are.
"""
import argparse
import collections
import json
import pathlib
import zipfile

import torch


def tensors():
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6) / 8
    whole = {
        'f64': torch.tensor([0.1, -2.5, 1e300], dtype=torch.float64),
        'f32': torch.tensor([0.1, -2.5, 3e38], dtype=torch.float32),
        'f16': torch.tensor([0.1, -2.5, 65504], dtype=torch.float16),
        'bf16': torch.tensor([0.1, -2.5, 3e38], dtype=torch.bfloat16),
        'i64': torch.tensor([0, -1, 2**53], dtype=torch.int64),
        'i32': torch.tensor([0, -1, 2**31 - 1], dtype=torch.int32),
        'i16': torch.tensor([0, -1, 32767], dtype=torch.int16),
        'i8': torch.tensor([0, -128, 127], dtype=torch.int8),
        'u8': torch.tensor([0, 255], dtype=torch.uint8),
        'bool': torch.tensor([True, False]),
        'scalar': torch.tensor(7, dtype=torch.int64),
        'empty': torch.zeros(0, 3),
        'matrix': base,
        'transposed': base.t(),
        'every second column': base[:, ::2],
        'third row': base[2],
        'one element, expanded': base[1, 1].expand(3),
        'with gradient': torch.ones(2, requires_grad=True),
    }
    return whole


def plain():
    return {
        'numbers': [0, 1, -1, 255, 256, 65536, -2**31, 2**31, 2**53 - 1, 0.5, -1e-300],
        'texts': ['', 'größe', '漢字 🦀'],
        'words': (None, True, False),
        'nested': {3: {'a': [{'b': (1, (2, 3))}]}},
        'ordered': collections.OrderedDict(),
        '__proto__': {'toString': 1},
    }


def save_all(folder):
    folder.mkdir(parents=True, exist_ok=True)
    state = {'tensors': tensors(), 'plain': plain()}
    for protocol in (2, 3, 4, 5):
        torch.save(state, folder / f'protocol-{protocol}.pt', pickle_protocol=protocol)
    torch.save(state, folder / 'before-1.6.pt', _use_new_zipfile_serialization=False)
    torch.save({'p': torch.nn.Parameter(torch.ones(2))}, folder / 'parameter.pt')
    with zipfile.ZipFile(folder / 'protocol-2.pt') as stored, zipfile.ZipFile(
        folder / 'deflated.pt', 'w', zipfile.ZIP_DEFLATED
    ) as deflated:
        for name in stored.namelist():
            deflated.writestr(zipfile.ZipInfo(name), stored.read(name), zipfile.ZIP_DEFLATED)
    loaded = torch.load(folder / 'protocol-2.pt', weights_only=True)['tensors']
    expected = {
        name: {'shape': list(tensor.shape), 'numbers': tensor.detach().to(torch.float64).flatten().tolist()}
        for name, tensor in loaded.items()
    }
    (folder / 'tensors.json').write_text(json.dumps(expected, indent=1) + '\n')


def observer(golden, renormalised):
    state = {}
    for layer in golden['layers']:
        sums = layer['reference']['independent_of_renorm'] | layer['reference'][renormalised]
        count = torch.tensor(sums['expert_frequency'], dtype=torch.long)
        state[layer['layer']] = {
            'total_tokens': torch.tensor(layer['tokens'], dtype=torch.long),
            'expert_frequency': count,
            'pairwise_expert_frequency': count[:, None] + count[None, :],
            **{
                key: torch.tensor(sums[key], dtype=torch.float64)
                for key in ('ean_sum', 'weighted_ean_sum', 'weighted_expert_frequency_sum')
            },
            **{key: torch.tensor(sums[key], dtype=torch.float32) for key in ('ean_mean', 'reap', 'max_activations')},
        }
    return state


def save_observers(goldens, folder):
    folder.mkdir(parents=True, exist_ok=True)
    golden = json.loads((goldens / 'deepseek_v2' / 'golden.json').read_text())
    for renormalised in ('renorm_true', 'renorm_false'):
        torch.save(observer(golden, renormalised), folder / f'observer-{renormalised}.pt')
    means = observer(golden, 'renorm_true')
    for state in means.values():
        del state['ean_sum'], state['weighted_ean_sum']
    torch.save(means, folder / 'observer-means.pt')
    kept = {
        name.split('.')[1]: {layer: found['retained'] for layer, found in cut['50'].items()}
        for name, cut in golden['retained_by_metric'].items()
        if name.startswith('reference.')
    }
    (folder / 'observer-kept.json').write_text(json.dumps(kept) + '\n')


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument('--goldens', type=pathlib.Path)
    arguments.add_argument('--pickle', type=pathlib.Path, default=pathlib.Path('src/core/pickle/fixtures'))
    arguments.add_argument('--imports', type=pathlib.Path, default=pathlib.Path('src/core/imports/fixtures'))
    chosen = arguments.parse_args()
    save_all(chosen.pickle)
    if chosen.goldens is not None:
        save_observers(chosen.goldens, chosen.imports)


if __name__ == '__main__':
    main()

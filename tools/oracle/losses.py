"""Mean next-token loss of a transformers model over packed text, in float32: shared by reload.py and masked.py."""
import json
import pathlib

import torch
import torch.nn.functional as F
from transformers.utils import logging

# Progress bars, and the remark that a document is longer than one window: it is cut.
logging.set_verbosity_error()
logging.disable_progress_bar()

SEQUENCE_LENGTH = 512


def packed_windows(path, tokenizer, sequence_length=SEQUENCE_LENGTH):
    """Ids of a JSONL file, the end-of-text token after each document, cut to windows [sequence_length + 1]."""
    separator = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    ids = []
    with open(path, encoding='utf-8', newline='\n') as lines:
        for line in lines:
            if line.strip():
                ids += tokenizer.encode(json.loads(line)['text']) + separator
    length = sequence_length + 1
    windows = [ids[at:at + length] for at in range(0, len(ids) - length + 1, length)]
    if not windows and len(ids) >= 2:
        windows = [ids]
    return [torch.tensor(window) for window in windows]


def read_domains(corpora, tokens, tokenizer):
    """Domain -> windows: of the *.evaluation.jsonl in a folder, or the sequences of a token file."""
    if tokens is not None:
        content = json.loads(pathlib.Path(tokens).read_text('utf-8'))
        named = content if isinstance(content, dict) else {'default': content}
        return {domain: [torch.tensor(ids) for ids in sequences] for domain, sequences in named.items()}
    files = sorted(pathlib.Path(corpora).glob('*.evaluation.jsonl'))
    if not files:
        raise SystemExit(f'{corpora} holds no *.evaluation.jsonl')
    return {file.name.split('.')[0]: packed_windows(file, tokenizer) for file in files}


@torch.no_grad()
def mean_loss(model, windows, batch=8):
    """Nats a predicted id; every id but the first of a window is predicted. None when there is nothing to predict."""
    total, predicted = 0.0, 0
    by_length = {}
    for window in windows:
        by_length.setdefault(len(window), []).append(window)
    for length, group in by_length.items():
        if length < 2:
            continue
        for ids in torch.stack(group).split(batch):
            logits = model(ids[:, :-1]).logits
            total += F.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction='sum').item()
            predicted += ids[:, 1:].numel()
    return total / predicted if predicted else None


def domain_losses(model, domains):
    losses = {domain: mean_loss(model, windows) for domain, windows in domains.items()}
    known = [loss for loss in losses.values() if loss is not None]
    return losses | {'mean': sum(known) / len(known)} if known else losses

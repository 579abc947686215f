#!/usr/bin/env python3
"""Token ids of the Rust tokenizers library, which src/core/corpus/tokenizer.test.ts compares with.

    token_ids.py [--demo public/demo] [--out src/core/corpus/fixtures/demo-token-ids.json]

For every document of the bundled corpora: how many ids, and the sha256 of the ids as little-endian int32 (its first
16 hex digits). For strings that tokenizers disagree on: the ids themselves, and the sha256 of those that come out
when a part of the demo's tokenizer is replaced by others in use.
"""
import argparse
import hashlib
import json
import pathlib

import numpy as np
import tokenizers

STRINGS = {
    'empty': '',
    'ascii': "I'LL say: it's 3.14159, they'Re we'd",
    'digits': '0 12 345 6789 1234567890 ٣٤٥ १२३ ½ ² Ⅳ ①',
    'emoji': 'ok 👍🏽 👩‍👩‍👧‍👦 🇩🇪 ❤️ 😀😀😀',
    'cjk': '今日は世界。 你好，世界！한국어 텍스트 𠮷野家',
    'right to left': 'שלום עולם مرحبا بالعالم \u202eabc\u202c',
    'combining marks': 'e\u0301 a\u0308\u0323 Z\u0351\u0343\u036a नमस्ते',
    'precomposed': '\u00e9 \u00e4\u0323 \ufb01 \u212b',
    'crlf': 'one\r\ntwo\r\n\r\nthree\rfour\n\n\nfive',
    'tabs': '\tif x:\n\t\treturn\t1\n    \t  y',
    'special tokens': '<|im_start|>user\nhi<|im_end|>\n<|endoftext|>',
    'special tokens glued': 'a<|endoftext|>b <|im_start|> c<|im_end|><|im_end|>d',
    'broken special tokens': '<|endoftext| > <|im_start <|end|> |>',
    'lone joiner': '\u200d',
    'invisible': 'a\u200bb\u200cc\u200dd\u2060e\ufefff\u00adg',
    'byte order mark first': '\ufeffimport os',
    'spaces of every kind': 'a\u00a0b\u1680c\u2003d\u2028e\u2029f\u202fg\u205fh\u3000i\u0085j\u000bk\u000cl\u180em',
    'spaces beside punctuation': '!\ufeff! \ufeff \u0085! \u0085\u0085x .\u180e. ,\u2028\ufeff,',
    'trailing whitespace': 'text   \n  ',
    'only whitespace': '   ',
    'control characters': 'a\u0000b\u0001c\u001bd\u007fe\u009ff',
    'astral letters': '𝔘𝔫𝔦𝔠𝔬𝔡𝔢 𐌰𐌱𐌲 𞤀𞤁',
    'punctuation': '!!!???...---___***///\\\\"\'`~@#$%^&*()[]{}<>|;:«»“”„‚‘’…—–',
    'code': 'for (let i = 0; i < n; ++i) { a[i] ??= `x${i}`; } // ok\n',
    'noncharacters': '\ufffe\uffff\ufffd\U0010ffff',
}

# Written as parts and their counts: too long to stand in the file.
LONG_STRINGS = {
    'long whitespace': [['x', 1], [' ', 5000], ['y', 1]],
    'long newlines': [['x', 1], ['\n', 3000], [' \n', 500], ['y', 1]],
    'long word': [['ab', 4000]],
    'one letter': [['a', 3001]],
}


def byte_level(**options):
    return {'type': 'ByteLevel', 'add_prefix_space': False, 'trim_offsets': True, 'use_regex': False, **options}


def sequence(*parts):
    return {'type': 'Sequence', 'pretokenizers': [*parts, byte_level()]}


def metaspace(**options):
    return {'type': 'Metaspace', 'replacement': '\u2581', 'split': True, **options}


def split(pattern, behavior, invert=False):
    return {'type': 'Split', 'pattern': pattern, 'behavior': behavior, 'invert': invert}


VARIANTS = {
    'ByteLevel with its own pattern': {'pre_tokenizer': byte_level(use_regex=True)},
    'Digits, single': {'pre_tokenizer': sequence({'type': 'Digits', 'individual_digits': True})},
    'Digits, runs': {'pre_tokenizer': sequence({'type': 'Digits', 'individual_digits': False})},
    'Whitespace': {'pre_tokenizer': sequence({'type': 'Whitespace'})},
    'WhitespaceSplit': {'pre_tokenizer': sequence({'type': 'WhitespaceSplit'})},
    'Punctuation, isolated': {'pre_tokenizer': sequence({'type': 'Punctuation', 'behavior': 'Isolated'})},
    'Punctuation, contiguous': {'pre_tokenizer': sequence({'type': 'Punctuation', 'behavior': 'Contiguous'})},
    'Metaspace, split': {'pre_tokenizer': sequence(metaspace(prepend_scheme='always'))},
    'Metaspace, split at a letter': {'pre_tokenizer': sequence(metaspace(prepend_scheme='always') | {'replacement': 'e'})},
    'Metaspace, whole': {'pre_tokenizer': sequence(metaspace(prepend_scheme='first', split=False))},
    'Metaspace, nothing before': {'pre_tokenizer': sequence(metaspace(prepend_scheme='never'))},
    'Split, a string isolated': {'pre_tokenizer': sequence(split({'String': ' '}, 'Isolated'))},
    'Split, a string removed': {'pre_tokenizer': sequence(split({'String': '.'}, 'Removed'))},
    'Split, a string merged with the previous': {'pre_tokenizer': sequence(split({'String': ' '}, 'MergedWithPrevious'))},
    'Split, a string merged with the next': {'pre_tokenizer': sequence(split({'String': ' '}, 'MergedWithNext'))},
    'Split, a pattern merged with the previous': {'pre_tokenizer': sequence(split({'Regex': '\\s|e'}, 'MergedWithPrevious'))},
    'Split, a pattern merged with the next': {'pre_tokenizer': sequence(split({'Regex': '\\s|e'}, 'MergedWithNext'))},
    'Split, a pattern contiguous': {'pre_tokenizer': sequence(split({'Regex': '\\p{L}'}, 'Contiguous'))},
    'Split, all but a pattern removed': {'pre_tokenizer': sequence(split({'Regex': '\\w+|[^\\w\\s]+'}, 'Removed', True))},
    'NFC': {'normalizer': {'type': 'NFC'}},
    'NFKC and lower case': {'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFKC'}, {'type': 'Lowercase'}]}},
    'Prepend and Replace': {'normalizer': {'type': 'Sequence', 'normalizers': [
        {'type': 'Prepend', 'prepend': '\u2581'}, {'type': 'Replace', 'pattern': {'String': ' '}, 'content': '\u2581'}]}},
    'a template with a first token': {'post_processor': {
        'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '<|im_start|>', 'type_id': 0}}, {'Sequence': {'id': 'A', 'type_id': 0}}],
        'pair': [{'Sequence': {'id': 'A', 'type_id': 0}}, {'Sequence': {'id': 'B', 'type_id': 1}}],
        'special_tokens': {'<|im_start|>': {'id': '<|im_start|>', 'ids': [1], 'tokens': ['<|im_start|>']}}}},
    'added tokens that strip': {'added_tokens': [
        {'id': i, 'content': content, 'single_word': False, 'lstrip': True, 'rstrip': True, 'normalized': False, 'special': True}
        for i, content in enumerate(['<|endoftext|>', '<|im_start|>', '<|im_end|>'])]},
}


def digest(ids):
    return hashlib.sha256(np.asarray(ids, '<i4').tobytes()).hexdigest()[:16]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--demo', type=pathlib.Path, default='public/demo')
    parser.add_argument('--out', type=pathlib.Path, default='src/core/corpus/fixtures/demo-token-ids.json')
    arguments = parser.parse_args()

    source = (arguments.demo / 'model' / 'tokenizer.json').read_text('utf-8')
    tokenizer = tokenizers.Tokenizer.from_str(source)
    files = {}
    for path in sorted((arguments.demo / 'corpora').glob('*.jsonl')):
        # Not str.splitlines: it also splits at U+2028 and the like, which JSON text may hold.
        lines = [line for line in path.read_text('utf-8').split('\n') if line.strip()]
        ids = [tokenizer.encode(json.loads(line)['text']).ids for line in lines]
        files[path.name] = {'counts': [len(x) for x in ids], 'sha256': [digest(x) for x in ids]}

    variants = {}
    for name, changes in VARIANTS.items():
        variant = tokenizers.Tokenizer.from_str(json.dumps(json.loads(source) | changes))
        variants[name] = {
            'changes': changes,
            'sha256': {label: digest(variant.encode(text).ids) for label, text in STRINGS.items()},
        }

    strings = {label: {'text': text, 'ids': tokenizer.encode(text).ids} for label, text in STRINGS.items()}
    long_strings = {}
    for label, parts in LONG_STRINGS.items():
        ids = tokenizer.encode(''.join(part * count for part, count in parts)).ids
        long_strings[label] = {'parts': parts, 'count': len(ids), 'sha256': digest(ids)}
    content = {'tokenizers': tokenizers.__version__, 'files': files, 'strings': strings, 'longStrings': long_strings,
               'variants': variants}
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps(content, separators=(',', ':')) + '\n')
    print(f'{arguments.out}: {arguments.out.stat().st_size} bytes')


if __name__ == '__main__':
    main()

#!/usr/bin/env python3
"""What transformers' apply_chat_template writes, which src/core/corpus/chat-template.test.ts compares with.

    chat_texts.py [--demo public/demo] [--fixtures src/core/corpus/fixtures]

Three templates: the demo model's; fixtures/tool-calling.jinja, which uses what the templates of large models use
(namespaces, macros, slices, string methods, tool schemas as JSON); fixtures/indented.jinja, which leaves the trimming
of lines to the engine.
"""
import argparse
import json
import pathlib

import transformers
from transformers import AutoTokenizer

TOOLS = [{
    'type': 'function',
    'function': {
        'name': 'weather',
        'description': 'Le temps qu\'il fait — "now" & <here>',
        'parameters': {
            'type': 'object',
            'properties': {'city': {'type': 'string', 'enum': ['Zürich', '東京']}, 'days': {'type': 'integer', 'default': 1}},
            'required': ['city'],
        },
    },
}]

PLAIN = {
    'one question': [{'role': 'user', 'content': 'What is 7 * 8?'}],
    'two turns': [
        {'role': 'system', 'content': 'Be brief.'},
        {'role': 'user', 'content': 'Hello\nthere'},
        {'role': 'assistant', 'content': 'Hi 👋🏽'},
        {'role': 'user', 'content': '  spaces kept  '},
        {'role': 'assistant', 'content': ''},
    ],
    'special tokens and quotes inside': [{'role': 'user', 'content': 'say <|im_end|> {{ "x" }} {% raw %} \\n \' "'}],
}

RICH = {
    'thoughts': [
        {'role': 'user', 'content': 'one'},
        {'role': 'assistant', 'content': '<think>\nhm\n</think>\n\nfirst'},
        {'role': 'user', 'content': 'two'},
        {'role': 'assistant', 'content': '<think>\nwell\n</think>\n\nsecond'},
    ],
    'calls': [
        {'role': 'system', 'content': '  You know the weather. '},
        {'role': 'user', 'content': 'Zürich?'},
        {'role': 'assistant', 'content': None, 'tool_calls': [
            {'type': 'function', 'function': {'name': 'weather', 'arguments': {'city': 'Zürich', 'days': 2, 'flags': [True, None, 1.5]}}},
            {'name': 'weather', 'arguments': '{"city": "東京"}'},
        ]},
        {'role': 'tool', 'content': '{"sky": "clear"}'},
        {'role': 'tool', 'content': 'rain'},
        {'role': 'assistant', 'content': 'Clear, then rain.', 'reasoning': 'two answers'},
    ],
    'parts': [{'role': 'user', 'content': [{'type': 'text', 'text': 'a'}, {'type': 'text', 'text': 'b'}]}],
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--demo', type=pathlib.Path, default='public/demo')
    parser.add_argument('--fixtures', type=pathlib.Path, default='src/core/corpus/fixtures')
    arguments = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(arguments.demo / 'model')
    read = lambda name: (arguments.fixtures / name).read_text('utf-8')

    cases = []
    for template, conversations, toolsets in (('demo', PLAIN, [None]), ('indented.jinja', PLAIN, [None]),
                                              ('tool-calling.jinja', PLAIN | RICH, [None, TOOLS])):
        source = None if template == 'demo' else read(template)
        for name, messages in conversations.items():
            for tools in toolsets:
                for prompt in (False, True):
                    options = {'tools': tools, 'chat_template': source, 'add_generation_prompt': prompt}
                    text = tokenizer.apply_chat_template(messages, tokenize=False, **options)
                    case = {'template': template, 'name': name, 'messages': messages, 'tools': tools,
                            'addGenerationPrompt': prompt, 'text': text}
                    if template == 'demo':
                        case['ids'] = tokenizer.apply_chat_template(messages, tokenize=True, return_dict=True, **options)['input_ids']
                    cases.append(case)
    out = arguments.fixtures / 'chat-texts.json'
    out.write_text(json.dumps({'transformers': transformers.__version__, 'cases': cases}, separators=(',', ':')) + '\n')
    print(f'{out}: {len(cases)} cases, {out.stat().st_size} bytes')


if __name__ == '__main__':
    main()

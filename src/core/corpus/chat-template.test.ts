import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { StudioError } from '../base/errors.ts';
import { type ChatTemplate, compileChatTemplate } from './chat-template.ts';
import { TEMPLATE_LIMITS } from './template-interpreter.ts';
import { loadTokenizer } from './tokenizer.ts';

const MODEL = new URL('../../../public/demo/model/', import.meta.url);
const tokenizer = loadTokenizer(
  readFileSync(new URL('tokenizer.json', MODEL)),
  readFileSync(new URL('tokenizer_config.json', MODEL)),
);

const { cases } = z
  .object({
    cases: z.array(
      z.object({
        template: z.string(),
        name: z.string(),
        messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })),
        tools: z.array(z.unknown()).nullable(),
        addGenerationPrompt: z.boolean(),
        text: z.string(),
        ids: z.array(z.number()).optional(),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL('./fixtures/chat-texts.json', import.meta.url), 'utf8')));

const { specialTokens } = tokenizer;
const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), 'utf8');
const templates = new Map<string, ChatTemplate>([
  ['demo', compileChatTemplate(tokenizer.chatTemplate ?? '', { specialTokens })],
  ['tool-calling.jinja', compileChatTemplate(fixture('tool-calling.jinja'), { specialTokens })],
  ['indented.jinja', compileChatTemplate(fixture('indented.jinja'), { specialTokens })],
]);

function render(source: string, limits = TEMPLATE_LIMITS): string {
  const messages = [{ role: 'user', content: 'hi' }];
  return compileChatTemplate(source, { limits, now: new Date(2024, 0, 9, 7, 5, 3) }).render({ messages });
}

function refusal(source: string, limits = TEMPLATE_LIMITS): string {
  try {
    return `rendered ${render(source, limits).length} characters`;
  } catch (error) {
    if (!(error instanceof StudioError)) throw error;
    expect(error).toMatchObject({ family: 'corpus', code: 'bad-chat-template' });
    return error.message;
  }
}

describe('texts equal transformers’ apply_chat_template', () => {
  const named = cases.map((entry) => ({
    ...entry,
    title: `${entry.template}: ${entry.name}${entry.tools ? ', tools' : ''}${entry.addGenerationPrompt ? ', prompt' : ''}`,
  }));

  it.each(named)('$title', ({ template, messages, tools, addGenerationPrompt, text, ids }) => {
    const conversation = { messages: messages.map((m) => ({ ...m, content: m.content })), tools: tools ?? undefined };
    const rendered = templates.get(template)?.render(conversation, { addGenerationPrompt }) ?? '';
    expect(rendered).toBe(text);
    if (ids !== undefined) expect([...tokenizer.encode(rendered, { addSpecialTokens: false })]).toEqual(ids);
  });
});

describe('what templates may use', () => {
  it('has special tokens, the time, ranges and its own constants', () => {
    const template = compileChatTemplate(
      "{{ eos_token }}{{ strftime_now('%d %b %Y %B %y %m %H:%M:%S %A %a %%') }}{% for i in range(6, 0, -2) %}{{ i }}{% endfor %}{{ 'constants' if None is none and True and not False }}",
      { specialTokens: new Map([['eos_token', '</s>']]), now: new Date(2024, 0, 9, 7, 5, 3) },
    );
    const text = template.render({ messages: [] });
    expect(text).toBe('</s>09 Jan 2024 January 24 01 07:05:03 Tuesday Tue %642constants');
  });

  it('opens an assistant turn only when asked', () => {
    expect(render("{{ 'yes' if add_generation_prompt else 'no' }}")).toBe('no');
  });
});

describe('refusals', () => {
  it('repeats what the template itself refuses', () => {
    expect(refusal("{{ raise_exception('roles must alternate') }}")).toContain('roles must alternate');
  });

  it('names a template that does not parse', () => {
    expect(refusal('{% for x in %}')).toContain('cannot be read');
  });

  it('names what a template does wrong', () => {
    expect(refusal('{{ messages[0].content + none }}')).toContain('fails on this conversation');
  });

  it.each([
    '{% for m in messages %}a{% if m.role %}{% continue %}{% endif %}{% endfor %}',
    '{% for m in messages %}{% if m.role %}a{% break %}{% endif %}{% endfor %}',
    '{% for m in messages %}{% if m.role %}{% if m.x %}{{ m.x }}{% endif %}{% if m.y %}{% else %}{% continue %}{% endif %}{% endif %}{% endfor %}',
    '{% if messages %}{% for m in messages %}{% for n in messages %}a{% endfor %}{% continue %}{% endfor %}{% endif %}',
  ])('does not leave a loop after writing: %s', (source) => {
    expect(refusal(source)).toContain('leaves a loop by break or continue after writing');
  });

  it('leaves a loop before writing', () => {
    const skip = '{% if i == 1 %}{% continue %}{% endif %}{% if i == 3 %}{% break %}{% endif %}';
    expect(render(`<{% for i in range(9) %}{% set j = i %}${skip}{{ j }}{% endfor %}>`)).toBe('<02>');
  });

  it('stops reading a template of unreasonable length', () => {
    expect(refusal('x'.repeat(2 ** 20 + 1))).toContain('characters; at most');
  });
});

describe('a hostile template comes to an end', () => {
  // A tenth of the real budget keeps the tests short; the honest conversation below has the real one.
  const { maxSteps, maxCharacters } = TEMPLATE_LIMITS;
  const limits = { ...TEMPLATE_LIMITS, maxSteps: maxSteps / 10, maxCharacters: maxCharacters / 10 };
  /** `n.s`: 2^times letters. */
  const doubled = (times: number) =>
    `{% set n = namespace(s='a') %}{% for i in range(${times}) %}{% set n.s = n.s ~ n.s %}{% endfor %}`;
  const nested = (body: string) =>
    `{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}${body}{% endfor %}{% endfor %}{% endfor %}`;

  it.each([
    ['a huge range', '{% for i in range(1000000000) %}{% endfor %}', 'range of 1000000000 items'],
    [
      'a huge range computed',
      '{% set n = 10 ** 9 %}{% for i in range(0 - n, n) %}x{% endfor %}',
      'range of 2000000000 items',
    ],
    ['nested loops', nested('x'), 'does not come to an end'],
    ['nested loops around nothing', nested(''), 'does not come to an end'],
    ['a filtered loop', `{% for a in range(999) if a < 0 %}{% endfor %}`.repeat(99), 'does not come to an end'],
    [
      'a text that doubles',
      `{% set n = namespace(s='xx') %}{% for i in range(60) %}{% set n.s = n.s ~ n.s %}{% endfor %}{{ n.s }}`,
      'too long',
    ],
    [
      'a list that doubles',
      `{% set n = namespace(s=[1]) %}{% for i in range(60) %}{% set n.s = n.s + n.s %}{% endfor %}`,
      'does not come to an end',
    ],
    ['an indent of half a gigabyte', "{{ 'a\nb' | indent(400000000) }}", 'passes 400000000 to a filter'],
    [
      'JSON with an indent of half a gigabyte',
      '{{ messages | tojson(indent=400000000) }}',
      'passes 400000000 to a filter',
    ],
    [
      'a search again and again through a list',
      '{% set l = range(99999) %}{% for i in range(500) %}{% if -1 in l %}{% endif %}{% endfor %}',
      'does not come to an end',
    ],
    [
      'a search again and again through a text',
      `${doubled(20)}{% set s = n.s %}{% for i in range(500) %}{% if 'b' in s %}{% endif %}{% endfor %}`,
      'does not come to an end',
    ],
    [
      'a split again and again of a text by name',
      `${doubled(20)}{% set s = n.s %}{% for i in range(500) %}{% set x = s.split('b') %}{% endfor %}`,
      'does not come to an end',
    ],
    ['a replacement of each letter by a text', `${doubled(20)}{{ n.s | replace('a', n.s) }}`, 'too long'],
    ['the same with nothing to replace', `${doubled(20)}{{ n.s.replace('', n.s) }}`, 'too long'],
    ['the same by a computed name', `${doubled(20)}{{ n.s['re' ~ 'place']('a', n.s) }}`, 'too long'],
    [
      'a replacement inside the one that is measured',
      `${doubled(20)}{{ n.s | replace('a' | replace('b', 'c'), n.s) }}`,
      'too long',
    ],
    ['a method kept for later', `{% set f = 'a'.replace %}{{ f('a', 'b') }}`, 'keeps a method without calling it'],
    [
      'a macro that calls itself',
      '{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}',
      'calls itself without end',
    ],
  ])('%s', (_, source, reason) => {
    expect(refusal(source, limits)).toContain(reason);
  });

  it('a template of blanks is refused before it is prepared', () => {
    expect(refusal(`{%- ${' '.repeat(200_000)} if %}`)).toContain('blanks in one piece');
    expect(() => compileChatTemplate(`{{ 'a' }}${' '.repeat(1000)}`)).not.toThrow();
  });

  it.each(['{{ (', '{% if 1 %}', '{{ [', '{{ {1: ', '{% for x in '])(
    'brackets and blocks without end: %s',
    (opening) => {
      expect(refusal(opening.repeat(50_000))).toContain('cannot be read');
    },
  );

  it('deep but whole blocks are read or refused', () => {
    const deep = `${'{% if 1 %}'.repeat(20_000)}x${'{% endif %}'.repeat(20_000)}`;
    expect(refusal(deep)).toMatch(/cannot be read|fails on|calls itself/);
  });

  it('a long but honest conversation stays far below the limits', () => {
    const messages = Array.from({ length: 2000 }, (_, turn) => ({
      role: turn % 2 === 0 ? 'user' : 'tool',
      content: 'word '.repeat(400),
    }));
    const text = templates.get('tool-calling.jinja')?.render({ messages }) ?? '';
    expect(text.length).toBeGreaterThan(2000 * 2000);
  });
});

import { describe, expect, it } from 'vitest';
import { logicalLines, readPython } from './python-source.ts';
import { readSourceFacts } from './source-facts.ts';

const facts = (text: string): ReturnType<typeof readSourceFacts> => readSourceFacts(new Map([['modeling_x.py', text]]));

describe('Python read as text', () => {
  it('joins what brackets and backslashes join, and drops comments and documentation', () => {
    const text = 'a = f(\n  1,  # one\n  2,\n)\nb = "x # y" \\\n  "z"\n"""class Not:\n  pass"""\nc = 3\n';
    expect(logicalLines(text)).toEqual([
      { line: 1, indent: 0, text: 'a = f( 1, 2, )' },
      { line: 5, indent: 0, text: 'b = "x # y" "z"' },
      { line: 9, indent: 0, text: 'c = 3' },
    ]);
  });

  it('gives each class its statements, and those outside to none', () => {
    const text = 'class A(B):\n  x = 1\n\n  def f(self):\n    return 2\ny = 3\nclass C:\n\tz = 4\n';
    expect(readPython(text).map(({ name, statements }) => [name, statements.map((one) => one.text)])).toEqual([
      ['A', ['x = 1', 'def f(self):', 'return 2']],
      ['C', ['z = 4']],
      ['', ['y = 3']],
    ]);
  });

  it('never fails on what is no Python', () => {
    for (const text of ['', '"""', "'", '(((', ')))', '\\', '#', 'class', '\0\n\t\r\n', '"\\']) {
      expect(() => logicalLines(text)).not.toThrow();
    }
  });
});

describe('facts of a modelling source', () => {
  const router = (body: string): string =>
    `class TopKRouter(nn.Module):\n  def forward(self, x):\n${body.replaceAll(/^/gm, '    ')}\n    return torch.topk(s, self.k)\n`;

  it('tell the scoring, and stay silent where lines disagree', () => {
    expect(facts(router('s = F.softmax(x, dim=-1)')).scoring).toEqual({
      value: 'softmax',
      evidence: { kind: 'source', text: 'modeling_x.py:3: s = F.softmax(x, dim=-1)' },
    });
    expect(facts(router('s = x.sigmoid()')).scoring?.value).toBe('sigmoid');
    expect(facts(router('s = x.sigmoid()\ns = s.softmax(-1)')).scoring).toBeUndefined();
    expect(facts(router('# softmax(x)\ns = x')).scoring).toBeUndefined();
  });

  it('tell the sum that gates are divided by, and what is added to it', () => {
    const { renormalise, sumEpsilon } = facts(router('w = w / (w.sum(dim=-1, keepdim=True) + 1e-20)'));
    expect([renormalise?.value, sumEpsilon?.value]).toEqual([true, 1e-20]);
    expect(facts(router('w = w * 2')).renormalise).toBeUndefined();
  });

  it('tell gate from up and down', () => {
    const text = 'class Mlp:\n  def forward(self, x):\n    return self.c(self.act_fn(self.a(x)) * self.b(x))\n';
    expect(facts(text).products).toMatchObject([{ gate: 'a', up: 'b', down: 'c' }]);
  });

  it('tell the style of rotation, the norm, and whether gate and up take turns', () => {
    const rotary = (line: string): string => `def rotate(x):\n  a = ${line}\n`;
    expect(facts(rotary('x[..., 0::2]')).rotary?.value).toBe('interleaved');
    expect(facts(rotary('x[..., : x.shape[-1] // 2]')).rotary?.value).toBe('halves');
    expect(facts('class N:\n  def forward(self, x):\n    return x * (1.0 + self.weight)\n').norm?.value).toBe(
      'rms-plus-one',
    );
    expect(
      facts('class E:\n  def f(self):\n    gate, up = gate_up[..., ::2], gate_up[..., 1::2]\n').interleavedExperts
        ?.value,
    ).toBe(true);
  });

  it('tell the buffer of the choice and its owner', () => {
    const text = 'class Gate:\n  def __init__(self):\n    self.register_buffer("e_score_correction_bias", zeros(4))\n';
    expect(facts(text).correctionBias?.value).toEqual({ name: 'e_score_correction_bias', owner: 'Gate' });
  });
});

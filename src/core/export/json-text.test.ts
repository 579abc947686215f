import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyEdits, type JsonNode, parseJsonText, removeEntries, type TextEdit } from './json-text.ts';

function plainly(node: JsonNode): unknown {
  if (node.kind === 'value') return node.value;
  if (node.kind === 'array') return node.items.map(plainly);
  return Object.fromEntries(node.members.map(({ key, value }) => [key, plainly(value)]));
}

function* nodesOf(node: JsonNode): Generator<JsonNode> {
  yield node;
  if (node.kind === 'array') for (const item of node.items) yield* nodesOf(item);
  if (node.kind === 'object') for (const { value } of node.members) yield* nodesOf(value);
}

const indents = fc.constantFrom(0, 2, '\t', ' \r\n');
// JSON.parse makes of a member "__proto__" one like any other; Object.fromEntries above does too.
const anyJson = fc.jsonValue({ maxDepth: 4 });

describe('places in JSON text', () => {
  it('are those of the values, at every depth and in any layout', () => {
    fc.assert(
      fc.property(anyJson, indents, fc.constantFrom('', ' ', '\n'), (json, indent, around) => {
        const text = around + JSON.stringify(json, null, indent) + around;
        const root = parseJsonText(text);
        expect(plainly(root)).toEqual(JSON.parse(text));
        for (const node of nodesOf(root)) expect(plainly(node)).toEqual(JSON.parse(text.slice(node.start, node.end)));
      }),
    );
  });

  it('knows the numbers that Python writes and JSON lacks, as nothing to compute with', () => {
    expect(plainly(parseJsonText('{"limit": [0.0, Infinity, -Infinity, NaN], "a": "NaN"}'))).toEqual({
      limit: [0, null, null, null],
      a: 'NaN',
    });
  });

  it('are refused below 64 levels', () => {
    expect(() => parseJsonText('['.repeat(66) + ']'.repeat(66))).toThrow(
      expect.objectContaining({ code: 'config-too-deep' }),
    );
    expect(plainly(parseJsonText('['.repeat(64) + ']'.repeat(64)))).toEqual(
      JSON.parse('['.repeat(64) + ']'.repeat(64)),
    );
  });
});

describe('edits', () => {
  it('replace what they name and leave every other character', () => {
    fc.assert(
      fc.property(fc.array(anyJson, { minLength: 1 }), indents, fc.nat(), (items, indent, seed) => {
        const text = JSON.stringify(items, null, indent);
        const root = parseJsonText(text);
        const nodes = root.kind === 'array' ? root.items : [];
        const node = nodes[seed % nodes.length];
        if (node === undefined) return;
        const edited = applyEdits(text, [{ start: node.start, end: node.end, text: '"new"' }]);
        expect(JSON.parse(edited)).toEqual(JSON.parse(text).with(seed % nodes.length, 'new'));
        expect(edited.slice(0, node.start)).toBe(text.slice(0, node.start));
        expect(edited.slice(node.start + 5)).toBe(text.slice(node.end));
      }),
    );
  });

  it('that overlap are a mistake', () => {
    const edits: TextEdit[] = [
      { start: 0, end: 2, text: '' },
      { start: 1, end: 3, text: '' },
    ];
    expect(() => applyEdits('[1]', edits)).toThrow(RangeError);
  });
});

describe('entries taken out', () => {
  it('leave the list or object of the others, in any layout', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anyJson, fc.boolean())), indents, fc.boolean(), (entries, indent, asObject) => {
        const pairs = entries.map(([value], index): [string, unknown] => [`k${index}`, value]);
        const text = JSON.stringify(
          asObject ? Object.fromEntries(pairs) : pairs.map(([, value]) => value),
          null,
          indent,
        );
        const root = parseJsonText(text);
        const spans =
          root.kind === 'object'
            ? root.members.map(({ keyStart, value }) => ({ start: keyStart, end: value.end }))
            : root.kind === 'array'
              ? root.items
              : [];
        const gone = entries.map(([, goes]) => goes);
        const edited = applyEdits(text, removeEntries(root, spans, gone));
        const stay = pairs.filter((_, index) => gone[index] !== true);
        const expected = asObject ? Object.fromEntries(stay) : stay.map(([, value]) => value);
        expect(JSON.parse(edited)).toEqual(JSON.parse(JSON.stringify(expected)));
        if (!gone.includes(true)) expect(edited).toBe(text);
      }),
    );
  });

  it('keep the layout of those that stay', () => {
    const text = '[\n  "a",\n  "b",\n  "c",\n  "d"\n]';
    const root = parseJsonText(text);
    const spans = root.kind === 'array' ? root.items : [];
    expect(applyEdits(text, removeEntries(root, spans, [true, false, true, true]))).toBe('[\n  "b"\n]');
    expect(applyEdits(text, removeEntries(root, spans, [false, true, false, true]))).toBe('[\n  "a",\n  "c"\n]');
    expect(applyEdits(text, removeEntries(root, spans, [true, true, true, true]))).toBe('[]');
  });
});

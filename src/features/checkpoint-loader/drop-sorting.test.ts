import { expect, it } from 'vitest';
import { kindOfDrop } from './drop-sorting.ts';

it.each([
  [['config.json', 'model.safetensors', 'merges.txt'], 'checkpoint'],
  [['notes.txt'], 'text'],
  [['a.TXT', 'b.jsonl'], 'text'],
  [['demo.plan.json'], 'plan'],
  [['demo.plan.json', 'config.json'], 'checkpoint'],
  [['mystery.descriptor.json'], 'descriptor'],
  [['config.json'], 'checkpoint'],
  [['model.safetensors'], 'checkpoint'],
  [[], 'checkpoint'],
])('takes %j for a %s', (names, kind) => expect(kindOfDrop(names)).toBe(kind));

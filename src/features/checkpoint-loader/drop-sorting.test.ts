import { expect, it } from 'vitest';
import { kindOfDrop } from './drop-sorting.ts';

it.each([
  [['config.json', 'model.safetensors', 'merges.txt'], 'checkpoint'],
  [['notes.txt'], 'text'],
  [['a.TXT', 'b.jsonl'], 'text'],
  [['notes.md', 'chats.ndjson', 'rows.parquet'], 'text'],
  [['demo.plan.json'], 'document'],
  [['demo.stats.json'], 'document'],
  [['observer.pt'], 'document'],
  [['expert_stats.json'], 'document'],
  [['observer.pt', 'config.json'], 'checkpoint'],
  [['demo.plan.json', 'config.json'], 'checkpoint'],
  [['mystery.descriptor.json'], 'document'],
  [['config.json'], 'checkpoint'],
  [['model.safetensors'], 'checkpoint'],
  [[], 'checkpoint'],
])('takes %j for a %s', (names, kind) => expect(kindOfDrop(names)).toBe(kind));

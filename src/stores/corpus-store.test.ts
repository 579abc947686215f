import { expect, it } from 'vitest';
import { addOwnTexts, chooseColumn, chosenDomains, corpusStore, removeOwnText, setBundled } from './corpus-store.ts';

it('lists bundled domains by name, then own texts, all with names of their own', () => {
  setBundled('python', 'http://x/python', true);
  setBundled('c', 'http://x/c', true);
  setBundled('german', 'http://x/german', true);
  setBundled('german', 'http://x/german', false);
  const text = { kind: 'text', text: 'a' } as const;
  addOwnTexts([
    { name: 'python', text, size: 1 },
    { name: 'notes.txt', text, size: 1 },
    { name: 'notes.txt', text, size: 1 },
  ]);
  removeOwnText('notes.txt');
  expect(chosenDomains(corpusStore.getState()).map(({ name }) => name)).toEqual([
    'c',
    'python',
    'python 2',
    'notes.txt 2',
  ]);
});

it('renames the own text, not the bundled domain, that is ticked later', () => {
  corpusStore.setState({ bundled: new Map(), own: [] });
  addOwnTexts([{ name: 'json', text: { kind: 'text', text: 'a' }, size: 1 }]);
  setBundled('json', 'http://x/json', true);
  expect(chosenDomains(corpusStore.getState()).map(({ name }) => name)).toEqual(['json', 'json 2']);
});

it('passes on the column that was chosen for a text, until it is left to be detected again', () => {
  corpusStore.setState({ bundled: new Map(), own: [] });
  const text = { kind: 'text', text: 'a' } as const;
  addOwnTexts([
    { name: 'a.jsonl', text, size: 1 },
    { name: 'b.jsonl', text, size: 1 },
  ]);
  chooseColumn('b.jsonl', 'question+answer');
  const columns = () => chosenDomains(corpusStore.getState()).map(({ column }) => column);
  expect(columns()).toEqual([undefined, 'question+answer']);
  chooseColumn('b.jsonl', undefined);
  expect(columns()).toEqual([undefined, undefined]);
});

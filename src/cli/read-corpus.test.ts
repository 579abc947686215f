import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { type HubServer, startHubServer } from '../../tools/hub-server/hub-server.ts';
import type { Checkpoint } from '../core/checkpoint/checkpoint.ts';
import type { Corpus } from '../core/corpus/corpus.ts';
import { openModel } from './open-model.ts';
import { corpusChoice, readCorpus } from './read-corpus.ts';

const DEMO = new URL('../../public/demo/model', import.meta.url).pathname;
const PARQUET = new URL('../core/corpus/fixtures/parquet/', import.meta.url).pathname;
const { signal } = new AbortController();
const COMMIT = 'c'.repeat(40);
const LENGTHS = { 'sequence-length': '32', 'max-tokens': '96' };

let room: string;
let hub: HubServer;
let checkpoint: Checkpoint;

beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-corpus-'));
  checkpoint = await openModel(DEMO, signal);
  hub = await startHubServer({
    repos: [
      {
        kind: 'dataset',
        id: 'local/chats',
        files: { 'README.md': new TextEncoder().encode('chats') },
      },
      {
        kind: 'dataset',
        id: 'local/chats',
        commit: COMMIT,
        revisions: { 'refs/convert/parquet': COMMIT },
        files: {
          'default/train/0000.parquet': join(PARQUET, 'conversations.parquet'),
          'default/train/0001.parquet': join(PARQUET, 'conversations.parquet'),
          'default/test/0000.parquet': join(PARQUET, 'instructions.parquet'),
        },
      },
      {
        kind: 'dataset',
        id: 'local/lines',
        token: 'hf_secret',
        files: {
          'en/train.jsonl': new TextEncoder().encode(`{"text":"${'all experts '.repeat(40)}"}\n`.repeat(2000)),
          'de/train.jsonl': new TextEncoder().encode('{"text":"alle Experten"}\n'),
        },
      },
    ],
  });
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterEach(() => {
  hub.requests.length = 0;
  vi.stubEnv('HF_TOKEN', '');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await hub.close();
  await rm(room, { recursive: true });
});

async function read(
  values: Parameters<typeof corpusChoice>[0],
): Promise<{ readonly corpus: Corpus; readonly told: string }> {
  let told = '';
  const corpus = await readCorpus(checkpoint, corpusChoice({ ...LENGTHS, ...values }), {
    signal,
    stderr: (text) => {
      told += text;
    },
  });
  return { corpus, told };
}

it('tells what it found in each file before it uses it, and takes the column that is asked for', async () => {
  const path = join(PARQUET, 'text-zstd.parquet');
  await writeFile(join(room, 'chat.jsonl'), '{"messages":[{"role":"user","content":"Which experts stay?"}]}\n');
  const { told, corpus } = await read({
    corpus: [`${path}:labels`, path, join(room, 'chat.jsonl')],
    'corpus-column': ['labels=label'],
  });
  expect(told).toBe(
    'labels: text-zstd.parquet, column label (as asked), 40 rows\n' +
      'text-zstd: text-zstd.parquet, column text (detected), 40 rows\n' +
      "chat: chat.jsonl, column messages (detected), by the model's chat template\n",
  );
  expect(corpus.domains.map(({ name }) => name)).toEqual(['labels', 'text-zstd', 'chat']);
});

it.each([
  [{ corpus: ['a.jsonl'], 'corpus-column': ['b'] }, 'bad-column'],
  [{ corpus: [join(PARQUET, 'text-zstd.parquet')], 'corpus-column': ['b=c'] }, 'unknown-domain'],
  [{ corpus: [join(PARQUET, 'text-zstd.parquet:x')], 'corpus-column': ['x=c'] }, 'unknown-column'],
  [{ corpus: [join(PARQUET, 'numbers.parquet')] }, 'no-text-column'],
  [{ corpus: ['hf:local/chats'] }, 'bad-dataset'],
  [{ corpus: ['hf:local/chats:2', 'hf:local/chats:1'] }, 'twice'],
  [{ corpus: ['hf:local/absent:2'] }, 'unauthorised'],
  [{ corpus: [join(PARQUET, 'missing.parquet')] }, 'unreadable'],
])('%j is refused with %s', async (values, code) => {
  await expect(read(values)).rejects.toMatchObject({ code });
});

it('makes a domain of each data set, in rows of the files that the hub converted, and notes the commit', async () => {
  const { corpus, told } = await read({ corpus: ['hf:local/chats:3,local/chats[default](test):1'] });
  expect(corpus.domains.map(({ name, source }) => [name, source])).toEqual([
    ['local/chats[default](train)', `hf:datasets/local/chats@${COMMIT}[default](train)`],
    ['local/chats[default](test)', `hf:datasets/local/chats@${COMMIT}[default](test)`],
  ]);
  expect(told).toContain(
    'local/chats[default](train): default/train/0001.parquet, column conversations (detected), 2 rows',
  );
  const ofFile = await read({
    corpus: [join(PARQUET, 'conversations.parquet')],
  });
  const asked = await read({ corpus: ['hf:local/chats:3'], 'corpus-column': ['local/chats=source'] });
  expect(asked.told).toContain('local/chats[default](train): default/train/0000.parquet, column source (as asked)');
  const pinned = await read({ corpus: [`hf:local/chats@${COMMIT}[default](train):3`] });
  expect(pinned.corpus.domains[0]).toMatchObject({
    name: 'local/chats[default](train)',
    hash: corpus.domains[0]?.hash,
  });
  // Two rows of the first file and one of the second.
  expect(ofFile.corpus.domains[0]?.hash).not.toBe(corpus.domains[0]?.hash);
  const two = await read({ corpus: ['hf:local/chats:2'] });
  expect(two.corpus.domains[0]?.hash).toBe(ofFile.corpus.domains[0]?.hash);
});

it('reads of a data set what the token limit needs, with the token where it is asked for', async () => {
  await expect(read({ corpus: ['hf:local/lines[en]:2000'] })).rejects.toMatchObject({ code: 'unauthorised' });
  vi.stubEnv('HF_TOKEN', 'hf_secret');
  await expect(read({ corpus: ['hf:local/lines:2000'] })).rejects.toMatchObject({
    code: 'several-subsets',
    message: expect.stringContaining('it has de, en'),
  });
  const before = hub.bytesSent();
  const { corpus } = await read({ corpus: ['hf:local/lines[en]:2000'] });
  expect(corpus.domains[0]).toMatchObject({ name: 'local/lines[en](train)', tokens: 96 });
  // The columns are looked for in one read, the text is taken in another.
  expect(hub.bytesSent() - before).toBeLessThanOrEqual(2 ** 18);
});

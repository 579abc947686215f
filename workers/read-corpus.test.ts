import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openModel } from '../src/cli/open-model.ts';
import { corpusChoice, readCorpus } from '../src/cli/read-corpus.ts';
import type { Checkpoint } from '../src/core/checkpoint/checkpoint.ts';
import type { Corpus } from '../src/core/corpus/corpus.ts';
import { type HubServer, startHubServer } from '../tools/hub-server/hub-server.ts';
import { CorpusService } from './corpus-api.ts';
import { readCorpus as readCorpusOfPage } from './read-corpus.ts';

const DEMO = new URL('../public/demo/model', import.meta.url).pathname;
const PARQUET = new URL('../src/core/corpus/fixtures/parquet/', import.meta.url).pathname;
const { signal } = new AbortController();

let hub: HubServer;
let checkpoint: Checkpoint;

beforeAll(async () => {
  checkpoint = await openModel(DEMO, signal);
  const file = join(PARQUET, 'conversations.parquet');
  hub = await startHubServer({
    repos: [{ kind: 'dataset', id: 'local/chats', files: { 'train/0.parquet': file, 'train/1.parquet': file } }],
  });
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await hub.close();
});

it('makes the same text of the same choice as the command line', async () => {
  const bytes = await readFile(join(PARQUET, 'instructions.parquet'));
  const file = new File([bytes], 'instructions.parquet');
  const service = new CorpusService({
    access: { fetch: (input, init) => fetch(input, init) },
    openSource: () => checkpoint.folder,
  });
  const found = await service.findDatasets({ datasets: 'local/chats(train):3', endpoint: hub.endpoint });
  if (!found.ok) throw new Error(found.error.message);
  const [chats] = found.value;
  if (chats === undefined) throw new Error('nothing was found');
  const request = { sequenceLength: 8, maxTokensPerDomain: 96 };
  const column = 'instruction+output';
  const ofPage = await readCorpusOfPage(
    checkpoint,
    {
      ...request,
      domains: [
        { name: 'instructions', texts: [{ kind: 'file', file }], column },
        { name: chats.name, texts: [chats.text] },
      ],
    },
    signal,
  );
  const choice = corpusChoice({
    corpus: [join(PARQUET, 'instructions.parquet'), 'hf:local/chats(train):3'],
    'corpus-column': [`instructions=${column}`],
    'sequence-length': '8',
    'max-tokens': '96',
  });
  const corpus = await readCorpus(checkpoint, choice, { signal, stderr: () => {} });
  const facts = ({ domains }: Corpus) => domains.map(({ name, hash, tokens }) => ({ name, hash, tokens }));
  expect(facts(ofPage)).toEqual(facts(corpus));
  expect(ofPage.domains[1]?.source).toBe(corpus.domains[1]?.source);

  const preview = await service.preview(
    { name: chats.name, texts: [chats.text] },
    { kind: 'files', label: 'demo', files: [] },
  );
  expect(preview).toMatchObject({ ok: true, value: { column: 'conversations', form: 'chat', refusal: null } });
});

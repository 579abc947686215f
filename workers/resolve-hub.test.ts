import { afterEach, expect, test, vi } from 'vitest';
import { resolveHubQuery } from './resolve-hub.ts';

afterEach(() => vi.unstubAllGlobals());

test('answers with the repository, found by the realm’s own fetch', async () => {
  const answers = [{ sha: 'a'.repeat(40) }, [{ type: 'file', path: 'config.json', size: 3 }]];
  vi.stubGlobal('fetch', async () => Response.json(answers.shift()));
  expect(await resolveHubQuery({ repo: 'org/name', endpoint: 'https://hub' })).toEqual({
    ok: true,
    value: {
      hub: { kind: 'model', repo: 'org/name', commit: 'a'.repeat(40), endpoint: 'https://hub' },
      files: [{ name: 'config.json', size: 3 }],
    },
  });
});

test('answers with the failure as data', async () => {
  vi.stubGlobal('fetch', async () => new Response(null, { status: 401 }));
  expect(await resolveHubQuery({ repo: 'org/name', endpoint: 'https://hub' })).toMatchObject({
    ok: false,
    error: { family: 'source', code: 'unauthorised', details: { repo: 'org/name', host: 'hub', status: 401 } },
  });
});

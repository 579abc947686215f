import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { readManifest } from './demo-manifest.ts';

const bundled = async (): Promise<Record<string, unknown>> =>
  JSON.parse(await readFile(new URL('../../public/demo/manifest.json', import.meta.url), 'utf8'));

it('reads the bundled list: files by their own names, texts by address', async () => {
  const manifest = readManifest(await bundled(), 'http://host/base/demo/');
  expect(manifest?.modelUrl).toBe('http://host/base/demo/model/');
  expect(manifest?.modelFiles).toContain('config.json');
  expect(manifest?.modelFiles.filter((name) => name.endsWith('.safetensors'))).toHaveLength(3);
  const python = manifest?.corpora.find(({ domain, split }) => domain === 'python' && split === 'calibration');
  expect(python?.url).toBe('http://host/base/demo/corpora/python.calibration.jsonl');
  expect(python?.licences.length).toBeGreaterThan(0);
});

it('refuses a list of another form', async () => {
  const good = await bundled();
  expect(readManifest(null, 'http://host/')).toBeNull();
  expect(readManifest({ ...good, model: [{ file: '../secret' }] }, 'http://host/')).toBeNull();
  expect(readManifest({ ...good, corpora: [{ domain: 'python' }] }, 'http://host/')).toBeNull();
});

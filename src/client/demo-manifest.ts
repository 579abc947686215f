import { StudioError } from '../core/base/errors.ts';

const MODEL_FOLDER = 'model/';

/** What /demo/manifest.json lists. */
export interface DemoManifest {
  /** The demo checkpoint's folder, ending in a slash, and the names of the files in it. */
  readonly modelUrl: string;
  readonly modelFiles: readonly string[];
  readonly corpora: readonly DemoCorpus[];
}

export interface DemoCorpus {
  readonly domain: string;
  readonly split: 'calibration' | 'evaluation';
  readonly url: string;
  readonly bytes: number;
  /** SPDX names. */
  readonly licences: readonly string[];
}

/** Fetches the list of the bundled model's files and texts; none of them is fetched. @throws StudioError source/no-demo */
export async function loadDemoManifest(): Promise<DemoManifest> {
  const root = new URL('demo/', document.baseURI);
  const address = new URL('manifest.json', root);
  const response = await fetch(address).catch(() => null);
  if (response?.ok !== true) throw missing(address);
  const manifest = readManifest(await response.json().catch(() => null), root.href);
  if (manifest === null) throw missing(address);
  return manifest;
}

/** Null when the value has not the form of a manifest. */
export function readManifest(value: unknown, rootUrl: string): DemoManifest | null {
  const model = listOf(field(value, 'model'), (entry) => fileUnder(MODEL_FOLDER, text(field(entry, 'file'))));
  const corpora = listOf(field(value, 'corpora'), (entry): DemoCorpus | null => {
    const domain = text(field(entry, 'domain'));
    const split = field(entry, 'split');
    const file = text(field(entry, 'file'));
    const bytes = field(entry, 'size');
    const licences = listOf(field(entry, 'licences'), text);
    if (domain === null || file === null || licences === null || typeof bytes !== 'number') return null;
    if (split !== 'calibration' && split !== 'evaluation') return null;
    return { domain, split, url: new URL(file, rootUrl).href, bytes, licences };
  });
  if (model === null || corpora === null) return null;
  return { modelFiles: model, modelUrl: new URL(MODEL_FOLDER, rootUrl).href, corpora };
}

function fileUnder(folder: string, path: string | null): string | null {
  return path?.startsWith(folder) === true ? text(path.slice(folder.length)) : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function text(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null;
}

function listOf<Entry>(value: unknown, read: (entry: unknown) => Entry | null): Entry[] | null {
  if (!Array.isArray(value)) return null;
  const entries: Entry[] = [];
  for (const item of value) {
    const entry = read(item);
    if (entry === null) return null;
    entries.push(entry);
  }
  return entries;
}

function missing(address: URL): StudioError {
  return new StudioError('source', 'no-demo', `The list of the bundled demo (${address.pathname}) could not be read.`, {
    nextStep: 'Check that the server is still running and try again, or open a folder of your own.',
    details: { url: address.href },
  });
}

import type { Architecture } from '../architectures/descriptor.ts';
import { StudioError } from '../base/errors.ts';
import { isJsonObject, parseConfigText, type ReadonlyJsonObject } from '../base/json.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import { readHeader } from '../safetensors/header.ts';
import { inspect } from './inspect.ts';
import type { NamedTensor, Proposal } from './proposal.ts';

const CONFIG_FILE = 'config.json';
const HEADERS_IN_FLIGHT = 8;
/** config.json and modelling files are some 100 kB. */
const MOST_BYTES = 16_000_000;

async function readText(folder: SourceFolder, name: string, signal?: AbortSignal): Promise<string> {
  const source = await folder.open(name, signal);
  if (source.size > MOST_BYTES) {
    throw new StudioError(
      'checkpoint',
      'file-too-large',
      `"${name}" has ${source.size} bytes, more than a file of its kind can have.`,
      {
        nextStep: 'Check that this is the original file.',
        details: { file: name },
      },
    );
  }
  return new TextDecoder().decode(await source.read(0, source.size, signal));
}

async function readConfig(folder: SourceFolder, signal?: AbortSignal): Promise<ReadonlyJsonObject> {
  const text = await readText(folder, CONFIG_FILE, signal);
  let json: unknown;
  try {
    json = parseConfigText(text);
  } catch {
    json = undefined;
  }
  if (isJsonObject(json)) return json;
  throw new StudioError('checkpoint', 'bad-config', 'config.json is not a JSON object.', {
    nextStep: 'Download config.json again from the original repository.',
    details: { file: CONFIG_FILE },
  });
}

async function readTensors(folder: SourceFolder, signal?: AbortSignal): Promise<NamedTensor[]> {
  const names = folder.names.filter((name) => name.endsWith('.safetensors')).sort();
  if (names.length === 0) {
    throw new StudioError('checkpoint', 'no-weights', `"${folder.label}" holds no .safetensors file.`, {
      nextStep: 'Open the folder that holds config.json and the .safetensors files of one model.',
      details: { folder: folder.label },
    });
  }
  const tensors: NamedTensor[] = [];
  for (let start = 0; start < names.length; start += HEADERS_IN_FLIGHT) {
    const headers = names.slice(start, start + HEADERS_IN_FLIGHT).map(async (name) => {
      return readHeader(await folder.open(name, signal), signal);
    });
    for (const header of await Promise.all(headers)) tensors.push(...header.tensors);
  }
  return tensors;
}

async function readSources(folder: SourceFolder, signal?: AbortSignal): Promise<Map<string, string>> {
  const names = folder.names.filter((name) => /^modell?ing_\w+\.py$/.test(name)).sort();
  const sources = new Map<string, string>();
  for (const name of names) sources.set(name, await readText(folder, name, signal));
  return sources;
}

/**
 * Reads config.json, every header and the modelling files of a folder, and proposes a descriptor. No weights are read,
 * no code is run.
 * @throws StudioError of the families `checkpoint` (as `inspect`, and `bad-config`, `no-weights`), `safetensors`, `source`.
 */
export async function inspectFolder(
  folder: SourceFolder,
  knownRows: readonly Architecture[],
  signal?: AbortSignal,
): Promise<Proposal> {
  const configJson = await readConfig(folder, signal);
  const tensors = await readTensors(folder, signal);
  return inspect({ configJson, tensors, modellingSources: await readSources(folder, signal), knownRows });
}

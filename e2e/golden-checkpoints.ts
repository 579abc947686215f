import { existsSync, readdirSync } from 'node:fs';
import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';

/** A tiny checkpoint on disk with the figures that transformers gives for it. */
export interface GoldenCheckpoint {
  readonly name: string;
  /** Folder to drop: config.json and shards alone. */
  readonly folder: string;
  /** Token ids as the page takes them for a text. */
  readonly tokenFile: string;
  readonly layers: readonly {
    readonly layer: number;
    readonly expert_frequency: readonly number[];
    readonly weighted_ean_sum: readonly number[];
  }[];
  /** Experts kept at 50 % by layer; of a grouped router as many from each group. */
  readonly retained: Readonly<Record<string, readonly number[]>>;
  /** sha256 of each tensor of the pruned checkpoint, where the figures hold it for these experts. */
  readonly sha256: Readonly<Record<string, string>> | undefined;
}

const SHARED = new URL('../../shared/goldens/', import.meta.url);
const OWN = new URL('../tools/goldens/data/', import.meta.url);
const EQUAL_GROUPS = 'model.reap, same number removed in each group';

function namesIn(root: URL): string[] {
  return existsSync(root) ? readdirSync(root).filter((name) => existsSync(new URL(`${name}/golden.json`, root))) : [];
}

/** Checkpoints at hand: those of the repository, and beside it the shared ones. */
export const GOLDEN_NAMES: readonly string[] = [...namesIn(OWN), ...namesIn(SHARED)];

function spreadsGroups(retained: Readonly<Record<string, readonly number[]>>, even: typeof retained): boolean {
  return Object.entries(retained).some(([layer, keep]) => keep.join() !== even[layer]?.join());
}

/** Copies what is dropped into `workFolder` and reads the figures. */
export async function prepareGolden(name: string, workFolder: string): Promise<GoldenCheckpoint> {
  const source = new URL(`${name}/`, namesIn(OWN).includes(name) ? OWN : SHARED);
  const folder = `${workFolder}/${name}`;
  await mkdir(folder, { recursive: true });
  for (const file of readdirSync(source)) {
    if (file === 'config.json' || file.startsWith('model')) await cp(new URL(file, source), `${folder}/${file}`);
  }
  const { input_ids } = JSON.parse(await readFile(new URL('input_ids.json', source), 'utf8'));
  const tokenFile = `${workFolder}/ids.json`;
  await writeFile(tokenFile, JSON.stringify(input_ids));
  const golden = JSON.parse(await readFile(new URL('golden.json', source), 'utf8'));
  const { retained, tensors, variants } = golden.pruned['50'];
  const even = variants?.[EQUAL_GROUPS]?.retained ?? retained;
  const hashes = Object.entries<{ sha256: string }>(tensors).map(([tensor, { sha256 }]) => [tensor, sha256]);
  return {
    name,
    folder,
    tokenFile,
    layers: golden.layers.map(({ layer, model }: { layer: number; model: object }) => ({ layer, ...model })),
    retained: even,
    sha256: spreadsGroups(retained, even) ? undefined : Object.fromEntries(hashes),
  };
}

/** The checkpoint that a fresh clone has. */
export async function prepareFixture(workFolder: string): Promise<GoldenCheckpoint> {
  const folder = new URL('./fixtures/qwen3-moe-tiny', import.meta.url).pathname;
  const { input_ids, layers, pruned } = JSON.parse(await readFile(`${folder}/expected.json`, 'utf8'));
  await mkdir(workFolder, { recursive: true });
  const tokenFile = `${workFolder}/ids.json`;
  await writeFile(tokenFile, JSON.stringify(input_ids));
  const { retained, sha256 } = pruned['50'];
  return { name: 'qwen3-moe-tiny', folder, tokenFile, layers, retained, sha256 };
}

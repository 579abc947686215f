import { StudioError } from '../base/errors.ts';
import type { HubFile } from '../hub/hub-repo.ts';
import type { DatasetSpec } from './dataset-spec.ts';

/** Subset → split → files of text, in the order in which they are read. */
export type DatasetTable = ReadonlyMap<string, ReadonlyMap<string, readonly HubFile[]>>;

export interface DatasetPart {
  readonly subset: string;
  readonly split: string;
  readonly files: readonly HubFile[];
}

/** The subset that is meant where none is named, and the name of the only one where files name none. */
const DEFAULT_SUBSET = 'default';
const DEFAULT_SPLIT = 'train';
const MOST_NAMED = 20;

/** `SUBSET/SPLIT/0000.parquet`: how the hub converts data sets (revision refs/convert/parquet). */
const CONVERTED = /^([^/]+)\/(?:partial-)?([^/]+)\/\d+\.parquet$/;
/** `SPLIT-00000-of-00012.parquet`: how the datasets library writes them. */
const NUMBERED = /^(.+)-\d{5}-of-\d{5}(?:-[0-9a-f]+)?\.\w+$/;
const SPLIT_WORDS: readonly (readonly [RegExp, string])[] = [
  [/(?:^|[-_.])(?:train|training)(?:[-_.\d]|$)/i, 'train'],
  [/(?:^|[-_.])(?:valid|validation|val|dev)(?:[-_.\d]|$)/i, 'validation'],
  [/(?:^|[-_.])(?:test|testing|eval|evaluation)(?:[-_.\d]|$)/i, 'test'],
];
const PARQUET = /\.parquet$/i;
/** A data set holds one of these, the first that it has any file of. */
const FORMATS: readonly RegExp[] = [PARQUET, /\.(?:jsonl|ndjson)$/i, /\.txt$/i];

/** The files of the hub's own conversion; undefined where there are none, or others beside them. */
export function convertedFiles(files: readonly HubFile[]): DatasetTable | undefined {
  const tables = files.filter(({ name }) => PARQUET.test(name));
  const found = tables.flatMap((file) => {
    const [, subset, split] = CONVERTED.exec(file.name) ?? [];
    return subset === undefined || split === undefined ? [] : [{ subset, split, file }];
  });
  return found.length > 0 && found.length === tables.length ? collect(found) : undefined;
}

/**
 * The files as the owner laid them out: a folder is a subset, except `data` and one that is named after a split; the split
 * stands in the file's name (`train-00000-of-00002.parquet`, `test.jsonl`) or in a folder's, and is `train` where neither
 * tells.
 */
export function ownFiles(files: readonly HubFile[]): DatasetTable {
  for (const format of FORMATS) {
    const found = files.filter(({ name }) => format.test(name));
    if (found.length === 0) continue;
    return collect(
      found.map((file) => {
        const folders = file.name.split('/');
        const name = folders.pop() ?? '';
        const split =
          NUMBERED.exec(name)?.[1] ?? splitWord(name) ?? folders.map(splitWord).find((word) => word !== undefined);
        const subset = folders.find((folder) => folder !== 'data' && splitWord(folder) === undefined);
        return { subset: subset ?? DEFAULT_SUBSET, split: split ?? DEFAULT_SPLIT, file };
      }),
    );
  }
  return new Map();
}

function splitWord(name: string): string | undefined {
  return SPLIT_WORDS.find(([pattern]) => pattern.test(name))?.[1];
}

function collect(
  found: readonly { readonly subset: string; readonly split: string; readonly file: HubFile }[],
): DatasetTable {
  const table = new Map<string, Map<string, HubFile[]>>();
  for (const { subset, split, file } of found) {
    const splits = table.get(subset) ?? new Map<string, HubFile[]>();
    table.set(subset, splits.set(split, [...(splits.get(split) ?? []), file]));
  }
  for (const splits of table.values()) {
    for (const files of splits.values()) files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }
  return table;
}

/**
 * The files that a name means. Without a subset: the only one, or `default`; without a split: `train`, or the only one.
 *
 * @throws StudioError family `corpus`: `no-dataset-files`, `unknown-subset`, `several-subsets`, `unknown-split`,
 *   `several-splits`, the last four naming what there is
 */
export function chooseFiles(table: DatasetTable, { repo, subset, split }: DatasetSpec): DatasetPart {
  if (table.size === 0) {
    throw new StudioError('corpus', 'no-dataset-files', `"${repo}" holds no parquet, JSONL or text files.`, {
      nextStep: 'Choose a data set whose page on the hub shows a table, or download it and give its files.',
      details: { repo },
    });
  }
  const [only, ...others] = table.keys();
  const chosen = subset ?? (others.length === 0 || !table.has(DEFAULT_SUBSET) ? only : DEFAULT_SUBSET);
  if (subset === undefined && others.length > 0 && chosen !== DEFAULT_SUBSET) {
    throw unclear(
      'several-subsets',
      `"${repo}" has several subsets`,
      [...table.keys()],
      `${repo}[${only ?? ''}]`,
      repo,
    );
  }
  const splits = chosen === undefined ? undefined : table.get(chosen);
  if (chosen === undefined || splits === undefined) {
    throw unclear(
      'unknown-subset',
      `"${repo}" has no subset "${chosen ?? ''}"`,
      [...table.keys()],
      `${repo}[${only ?? ''}]`,
      repo,
    );
  }
  const [first, ...more] = splits.keys();
  const wanted = split ?? (splits.has(DEFAULT_SPLIT) ? DEFAULT_SPLIT : more.length === 0 ? first : undefined);
  const files = wanted === undefined ? undefined : splits.get(wanted);
  if (wanted === undefined || files === undefined) {
    const message = wanted === undefined ? `"${repo}" has several splits` : `"${repo}" has no split "${wanted}"`;
    const code = wanted === undefined ? 'several-splits' : 'unknown-split';
    throw unclear(code, message, [...splits.keys()], `${repo}(${first ?? ''})`, repo);
  }
  return { subset: chosen, split: wanted, files };
}

function unclear(code: string, message: string, names: readonly string[], example: string, repo: string): StudioError {
  const shown = names.slice(0, MOST_NAMED).join(', ');
  const more = names.length > MOST_NAMED ? ` and ${names.length - MOST_NAMED} more` : '';
  return new StudioError('corpus', code, `${message}: it has ${shown}${more}.`, {
    nextStep: `Name one of them, as in ${example}:1000.`,
    details: { repo },
  });
}

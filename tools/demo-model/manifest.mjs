/**
 * Writes public/demo/manifest.json, which the page reads to offer the demo, or checks it against the files.
 *
 *     node tools/demo-model/manifest.mjs            write
 *     node tools/demo-model/manifest.mjs --check    exit 1 where the manifest and the files differ
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('../../public/demo', import.meta.url));

/** @typedef {{ readonly file: string; readonly size: number; readonly sha256: string }} FileEntry */
/** @typedef {FileEntry & { readonly domain: string; readonly split: string; readonly licences: readonly string[] }} CorpusEntry */
/** @typedef {{ readonly format: string; readonly version: number; readonly model: readonly FileEntry[]; readonly corpora: readonly CorpusEntry[] }} Manifest */

/**
 * @param {string} demo the folder with model/, corpora/ and SOURCES.md
 * @returns {Manifest} file names relative to that folder
 */
export function describeDemo(demo) {
  const licences = licencesOfShippedText(readFileSync(join(demo, 'SOURCES.md'), 'utf8'));
  const model = readdirSync(join(demo, 'model'))
    .sort()
    .map((name) => describeFile(demo, `model/${name}`));
  const corpora = readdirSync(join(demo, 'corpora'))
    .sort()
    .flatMap((name) => {
      const [, domain, split] = /^(\w+)\.(calibration|evaluation)\.jsonl$/.exec(name) ?? [];
      if (domain === undefined || split === undefined) return [];
      const known = licences.get(domain);
      if (known === undefined) throw new Error(`SOURCES.md names no shipped source of the domain "${domain}"`);
      return [{ domain, split, ...describeFile(demo, `corpora/${name}`), licences: known }];
    });
  return { format: 'reap-studio/demo', version: 1, model, corpora };
}

/**
 * @param {string} demo
 * @param {string} file
 * @returns {FileEntry}
 */
function describeFile(demo, file) {
  const bytes = readFileSync(join(demo, file));
  return { file, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/**
 * Domain → licences of the sources that stand in the corpora, from the first table of SOURCES.md.
 * @param {string} markdown
 * @returns {ReadonlyMap<string, readonly string[]>}
 */
export function licencesOfShippedText(markdown) {
  /** @type {Map<string, string[]>} */
  const licences = new Map();
  for (const line of markdown.split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, domain, , licence, , , , shipped] = cells;
    if (cells.length !== 9 || domain === undefined || licence === undefined || !/^\d+$/.test(shipped ?? '')) continue;
    const known = licences.get(domain) ?? [];
    if (!known.includes(licence)) licences.set(domain, [...known, licence].sort());
  }
  return licences;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const path = join(DEMO, 'manifest.json');
  const text = `${JSON.stringify(describeDemo(DEMO), null, 2)}\n`;
  if (!process.argv.includes('--check')) {
    writeFileSync(path, text);
  } else if (readFileSync(path, 'utf8') !== text) {
    console.error(
      'public/demo/manifest.json does not describe the files beside it: run node tools/demo-model/manifest.mjs',
    );
    process.exitCode = 1;
  }
}

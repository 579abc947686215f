/** Names of the files that an export adds to a checkpoint folder. */
export const PLAN_FILE = 'reap-studio.plan.json';
export const MANIFEST_FILE = 'reap-studio.manifest.json';
/** The journal is rewritten by turns under two names, so that at every moment one whole copy lies on the disk. */
export const JOURNAL_FILES = ['reap-studio.journal.jsonl', 'reap-studio.journal.next.jsonl'] as const;

/** Says which process of the command line writes into the folder. */
export const LOCK_FILE = 'reap-studio.lock';

export const CONFIG_FILE = 'config.json';
export const INDEX_FILE = 'model.safetensors.index.json';

const OWN_FILES: ReadonlySet<string> = new Set([PLAN_FILE, MANIFEST_FILE, LOCK_FILE, ...JOURNAL_FILES]);

/** True for a file that an earlier export put into the folder; it describes that export and is not copied to the next. */
export function isOwnFile(name: string): boolean {
  return OWN_FILES.has(name);
}

const SYSTEM_FILES: ReadonlySet<string> = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** True for what file managers and Chrome's own half-written copies leave in a folder; they are neither ours nor a person's data. */
export function isSystemFile(name: string): boolean {
  return SYSTEM_FILES.has(name) || name.endsWith('.crswap');
}

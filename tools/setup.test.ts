import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { buildIsFresh } from './freshness.mjs';
import { dependenciesAreInstalled } from './setup.mjs';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'reap-setup-'));
});

afterEach(() => rmSync(root, { recursive: true }));

describe('dependencies', () => {
  const locked = {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0' },
    'node_modules/binding-elsewhere': { version: '2.0.0', optional: true },
  };

  function lock(path: string, packages: Readonly<Record<string, object>>) {
    mkdirSync(join(root, 'node_modules'), { recursive: true });
    writeFileSync(join(root, path), JSON.stringify({ packages }));
  }

  test('are missing in a fresh clone', () => {
    lock('package-lock.json', locked);
    expect(dependenciesAreInstalled(root)).toBe(false);
  });

  test('are there when the versions are those of the lockfile; a binding for another platform may be absent', () => {
    lock('package-lock.json', locked);
    lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
    expect(dependenciesAreInstalled(root)).toBe(true);
  });

  test('are stale when the lockfile asks for another version or another package', () => {
    lock('node_modules/.package-lock.json', { 'node_modules/a': { version: '1.0.0' } });
    lock('package-lock.json', { ...locked, 'node_modules/a': { version: '1.0.1' } });
    expect(dependenciesAreInstalled(root)).toBe(false);
    lock('package-lock.json', { ...locked, 'node_modules/b': { version: '1.0.0' } });
    expect(dependenciesAreInstalled(root)).toBe(false);
  });
});

describe('the build', () => {
  function write(path: string, seconds: number) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), path);
    utimesSync(join(root, path), seconds, seconds);
    for (let folder = join(path, '..'); folder !== '.'; folder = join(folder, '..')) {
      utimesSync(join(root, folder), seconds, seconds);
    }
  }

  test('is stale when absent, older than a source, or without its command line', () => {
    write('src/app/main.tsx', 1000);
    expect(buildIsFresh(root)).toBe(false);
    write('dist/index.html', 2000);
    expect(buildIsFresh(root)).toBe(true);
    write('workers/run.worker.ts', 3000);
    expect(buildIsFresh(root)).toBe(false);
    write('dist/index.html', 4000);
    expect(buildIsFresh(root)).toBe(true);
    write('src/cli/main.ts', 1000);
    expect(buildIsFresh(root)).toBe(false);
    write('dist/cli/reap-studio.mjs', 4000);
    expect(buildIsFresh(root)).toBe(true);
  });

  test('is stale when a source was removed', () => {
    write('src/app/main.tsx', 1000);
    write('src/app/gone.ts', 1000);
    write('dist/index.html', 2000);
    expect(buildIsFresh(root)).toBe(true);
    rmSync(join(root, 'src/app/gone.ts'));
    expect(buildIsFresh(root)).toBe(false);
  });
});

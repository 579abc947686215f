import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { cli } from '../../src/cli/cli-desk.fixture.ts';
import { runAndKill } from './killed-run.ts';

const ROOT = new URL('../..', import.meta.url).pathname;
const FIXTURE = join(ROOT, 'e2e/fixtures/qwen3-moe-tiny');

let room: string;
beforeAll(async () => {
  room = await mkdtemp(join(tmpdir(), 'reap-studio-killed-'));
});
afterAll(() => rm(room, { recursive: true }));

it('a calibration that was killed while it wrote its journal ends with the bytes of an uninterrupted one', async () => {
  const { input_ids } = JSON.parse(await readFile(join(FIXTURE, 'expected.json'), 'utf8'));
  const ids = join(room, 'ids.json');
  await writeFile(ids, JSON.stringify(input_ids));
  const line = (out: string): string[] => ['calibrate', FIXTURE, '--tokens', ids, '--threads', '1', '--out', out];
  expect((await cli(line(join(room, 'whole.json')))).code).toBe(0);

  const resume = join(room, 'journal');
  const command = [process.execPath, '--import', 'tsx', join(ROOT, 'src/cli/main.ts')];
  const again = [...command, ...line(join(room, 'resumed.json')), '--resume', resume];
  // The folder, hidden states and the state of the first layer, and a file of the second.
  const left = await runAndKill(again, resume, { kind: 'journal-change', changes: 12 });
  expect(left.killed, left.stderr).toBe(true);
  expect(left.nextLayer).toBeLessThan(4);
  const { exitCode, stderr } = await runAndKill(again, resume);
  expect(exitCode, stderr).toBe(0);
  expect(await readFile(join(room, 'resumed.json'), 'utf8')).toBe(await readFile(join(room, 'whole.json'), 'utf8'));
});

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readTally, runStage, sumTallies } from './stages.mjs';

const folder = mkdtempSync(join(tmpdir(), 'reap-stages-'));

afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
}

describe('tallies', () => {
  test('are read from both runners', () => {
    const unit = file('unit.json', JSON.stringify({ numPassedTests: 12, numFailedTests: 2, numPendingTests: 3 }));
    const browser = file(
      'browser.json',
      JSON.stringify({ stats: { expected: 5, unexpected: 1, flaky: 1, skipped: 4 } }),
    );
    expect(readTally(unit)).toEqual({ passed: 12, failed: 2 });
    expect(readTally(browser)).toEqual({ passed: 5, failed: 2 });
    expect(readTally(join(folder, 'none.json'))).toBeUndefined();
  });

  test('add up over stages, and a failed stage never hides behind passed tests', () => {
    const lint = { name: 'lint', ok: true, tally: undefined };
    const unit = { name: 'unit', ok: true, tally: { passed: 10, failed: 0 } };
    expect(sumTallies([lint, unit])).toEqual({ passed: 10, failed: 0 });
    expect(sumTallies([{ ...lint, ok: false }, unit])).toEqual({ passed: 10, failed: 1 });
    expect(sumTallies([lint, { ...unit, ok: false, tally: { passed: 7, failed: 3 } }])).toEqual({
      passed: 7,
      failed: 3,
    });
    expect(sumTallies([{ ...unit, ok: false }])).toEqual({ passed: 10, failed: 1 });
  });
});

test('a stage tells its outcome, and an older report does not speak for it', () => {
  const report = file('report.json', JSON.stringify({ numPassedTests: 99, numFailedTests: 0 }));
  const crash = file('crash.mjs', 'process.exit(3);');
  expect(runStage({ name: 'crash', script: crash, args: [], report })).toEqual({
    name: 'crash',
    ok: false,
    tally: undefined,
  });
  const pass = file(
    'pass.mjs',
    "import { writeFileSync } from 'node:fs'; writeFileSync(process.argv[2], process.env.TEXT);",
  );
  const text = JSON.stringify({ numPassedTests: 4, numFailedTests: 0 });
  expect(runStage({ name: 'pass', script: pass, args: [report], report, env: { TEXT: text } }).tally).toEqual({
    passed: 4,
    failed: 0,
  });
});

import { TOOL } from '../core/export/tool.ts';
import type { VerifyReport } from '../core/protocol/export-protocol.ts';
import type { Verification } from './verify-store.ts';

/** The report of a verification as a file: what was looked at, by which version, and every problem. */
export function verificationText({ folder, source }: Verification, report: VerifyReport): string {
  const file = {
    format: 'reap-studio/verification',
    version: 1,
    tool: TOOL,
    folder: folder.label,
    source: source?.label ?? null,
    ok: report.problems.length === 0,
    ...report,
  };
  return `${JSON.stringify(file, null, 2)}\n`;
}

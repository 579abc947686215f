import { DEFAULT_MEMORY_BUDGET, LEAST_MEMORY_BUDGET } from '../core/calibration/memory-default.ts';
import { formatBytes } from '../core/export/format-bytes.ts';
import { byteSize, usageError } from './arguments.ts';

/** --memory in bytes. @throws StudioError family `usage`: `not-a-size`, `too-little-memory`. */
export function memoryOption(value: string | undefined): number {
  if (value === undefined) return DEFAULT_MEMORY_BUDGET;
  const bytes = byteSize(value, '--memory');
  if (bytes >= LEAST_MEMORY_BUDGET) return bytes;
  throw usageError(
    'too-little-memory',
    `--memory takes ${formatBytes(LEAST_MEMORY_BUDGET)} or more, not ${formatBytes(bytes)}.`,
  );
}

import { isAbortError } from '../../base/abort.ts';
import { StudioError } from '../../base/errors.ts';

/** The file is damaged, or never was parquet. */
export function badParquet(file: string, what: string, cause?: unknown): StudioError {
  return new StudioError('corpus', 'bad-parquet', `"${file}" cannot be read as parquet: ${what}.`, {
    nextStep: 'Get the file again from where it came from, and compare its size.',
    details: { file },
    cause,
  });
}

/** The file is parquet in a form that the studio does not read. */
export function unsupportedParquet(file: string, what: string): StudioError {
  return new StudioError('corpus', 'unsupported-parquet', `"${file}" uses ${what}, which is not supported.`, {
    nextStep:
      'Write it again with snappy, zstd or gzip and the usual encodings (pandas and datasets do by default), or as JSONL.',
    details: { file },
  });
}

/** Reading the file as it says would take more memory than one corpus should. */
export function parquetTooLarge(file: string, what: string, found: number, limit: number): StudioError {
  return new StudioError('corpus', 'parquet-too-large', `${what} of "${file}" is ${found}; at most ${limit} is read.`, {
    nextStep: 'Write the file again with smaller row groups (1000 rows each), or as JSONL.',
    details: { file, found, limit },
  });
}

/** Runs code that trusts its input, and says of what it throws that the file is to blame. */
export function blameFile<Value>(file: string, work: () => Value): Value {
  try {
    return work();
  } catch (error) {
    if (error instanceof StudioError || isAbortError(error)) throw error;
    throw badParquet(file, error instanceof Error ? error.message.replace(/\.$/, '') : String(error), error);
  }
}

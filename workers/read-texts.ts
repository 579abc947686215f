import { StudioError } from '../src/core/base/errors.ts';
import { BlobSource } from '../src/core/bytes/blob-source.ts';
import type { ByteSource } from '../src/core/bytes/byte-source.ts';
import type { HttpAccess } from '../src/core/bytes/http-access.ts';
import { MemorySource } from '../src/core/bytes/memory-source.ts';
import { datasetLabel } from '../src/core/corpus/open-dataset.ts';
import type { DomainFiles } from '../src/core/corpus/open-domain.ts';
import { HubFolder } from '../src/core/hub/hub-folder.ts';
import type { DomainSpec, TextSpec } from '../src/core/protocol/source-spec.ts';

const ACCESS: HttpAccess = { fetch: (input, init) => fetch(input, init) };

async function fetchText(url: string, signal?: AbortSignal): Promise<ByteSource> {
  const failed = (reason: string, cause?: unknown): StudioError =>
    new StudioError('corpus', 'text-unreachable', `The text at ${url} could not be loaded: ${reason}.`, {
      nextStep: 'Check the connection and try again.',
      details: { url },
      ...(cause === undefined ? {} : { cause }),
    });
  const response = await fetch(url, signal === undefined ? {} : { signal }).catch((cause: unknown) => {
    signal?.throwIfAborted();
    throw failed('no answer', cause);
  });
  if (!response.ok) throw failed(`status ${response.status}`);
  const name = new URL(url, self.location.href).pathname.split('/').at(-1) ?? url;
  return new MemorySource(name, new Uint8Array(await response.arrayBuffer()));
}

interface TextFiles {
  readonly source: string;
  readonly files: DomainFiles['files'];
  readonly samples?: number;
}

function filesOf(text: TextSpec, signal?: AbortSignal): TextFiles {
  switch (text.kind) {
    case 'http':
      return { source: text.url, files: [() => fetchText(text.url, signal)] };
    case 'file':
      return { source: text.file.name, files: [async () => new BlobSource(text.file, text.file.name)] };
    case 'text': {
      const bytes = new TextEncoder().encode(text.text);
      return { source: 'typed text', files: [async () => new MemorySource('typed text.txt', bytes)] };
    }
    case 'hub': {
      const folder = new HubFolder(text.hub, text.files, ACCESS);
      return {
        source: datasetLabel(folder, text),
        files: text.files.map(
          ({ name }) =>
            () =>
              folder.open(name, signal),
        ),
        samples: text.samples,
      };
    }
  }
}

/** The files of a domain, none of them opened. */
export function domainFiles({ name, texts, column }: DomainSpec, signal?: AbortSignal): DomainFiles {
  const parts = texts.map((text) => filesOf(text, signal));
  return {
    name,
    source: parts.map(({ source }) => source).join(', '),
    files: parts.flatMap(({ files }) => files),
    column,
    // A data set is a domain of its own.
    samples: parts.length === 1 ? parts[0]?.samples : undefined,
  };
}

import { StudioError, toWireError } from '../src/core/base/errors.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { HttpAccess } from '../src/core/bytes/http-access.ts';
import { parseDatasets } from '../src/core/corpus/dataset-spec.ts';
import { loadChatTemplate } from '../src/core/corpus/model-tokenizer.ts';
import { resolveDataset } from '../src/core/corpus/open-dataset.ts';
import { previewText } from '../src/core/corpus/text-preview.ts';
import type { WireResult } from '../src/core/protocol/calibration-protocol.ts';
import type { CorpusApi, DatasetQuery, FoundDataset, TextPreview } from '../src/core/protocol/corpus-protocol.ts';
import type { DomainSpec, SourceSpec } from '../src/core/protocol/source-spec.ts';
import { domainFiles } from './read-texts.ts';

/** What looking at text needs of the browser. */
export interface CorpusPlatform {
  readonly access: HttpAccess;
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
}

async function attempt<Value>(compute: () => Promise<Value>): Promise<WireResult<Value>> {
  try {
    return { ok: true, value: await compute() };
  } catch (error) {
    return { ok: false, error: toWireError(error) };
  }
}

/** Text as the worker looks at it before it is used; in Node it runs against a fake platform. */
export class CorpusService implements CorpusApi {
  readonly #platform: CorpusPlatform;

  constructor(platform: CorpusPlatform) {
    this.#platform = platform;
  }

  findDatasets({ datasets, ...hub }: DatasetQuery): Promise<WireResult<readonly FoundDataset[]>> {
    return attempt(() =>
      Promise.all(
        parseDatasets(datasets).map(async (spec): Promise<FoundDataset> => {
          const { name, ...found } = await resolveDataset(spec, hub, this.#platform.access);
          return { name, text: { kind: 'hub', ...found, samples: spec.samples } };
        }),
      ),
    );
  }

  preview(domain: DomainSpec, model: SourceSpec | null): Promise<WireResult<TextPreview>> {
    return attempt(async () => {
      const { files, column } = domainFiles(domain);
      const [first] = files;
      if (first === undefined) {
        throw new StudioError('corpus', 'empty-text', `"${domain.name}" has no files.`, {
          nextStep: 'Remove it and choose another text.',
        });
      }
      const chatTemplate = model === null ? undefined : await loadChatTemplate(await this.#platform.openSource(model));
      return previewText(await first(), { column, chatTemplate });
    });
  }
}

import type { Architecture } from '../src/core/architectures/descriptor.ts';
import { parseDescriptor } from '../src/core/architectures/descriptor-file.ts';
import { architectureFor, architectures } from '../src/core/architectures/registry.ts';
import { isStudioError, toWireError, type WireError } from '../src/core/base/errors.ts';
import { isJsonObject, parseConfigText } from '../src/core/base/json.ts';
import type { SourceFolder } from '../src/core/bytes/byte-source.ts';
import type { InferenceBackend } from '../src/core/calibration/inference-backend.ts';
import { inspectFolder } from '../src/core/inspector/inspect-folder.ts';
import type { Proposal } from '../src/core/inspector/proposal.ts';
import type { WireResult } from '../src/core/protocol/calibration-protocol.ts';
import type { InspectApi, Inspection, LayerTest } from '../src/core/protocol/inspect-protocol.ts';
import type { SourceSpec } from '../src/core/protocol/source-spec.ts';
import { testFirstLayer } from './inspect-layer.ts';
import { openModel } from './open-model.ts';

/** What the inspector needs of the browser. */
export interface InspectPlatform {
  openSource(spec: SourceSpec): SourceFolder | Promise<SourceFolder>;
  openBackend(): Promise<InferenceBackend>;
}

const CONFIG_FILE = 'config.json';
/** config.json of the largest models is some 100 kB. */
const MOST_BYTES = 16_000_000;

async function modelTypeOf(folder: SourceFolder): Promise<string> {
  if (!folder.names.includes(CONFIG_FILE)) return '';
  const source = await folder.open(CONFIG_FILE);
  if (source.size > MOST_BYTES) return '';
  try {
    const json: unknown = parseConfigText(new TextDecoder().decode(await source.read(0, source.size)));
    return isJsonObject(json) && typeof json['model_type'] === 'string' ? json['model_type'] : '';
  } catch (error) {
    // What is wrong with the file is for whoever opens it to say.
    if (error instanceof SyntaxError) return '';
    throw error;
  }
}

async function attempt<Value>(compute: () => Promise<Value>): Promise<WireResult<Value>> {
  try {
    return { ok: true, value: await compute() };
  } catch (error) {
    return { ok: false, error: toWireError(error) };
  }
}

/** What the files show of a model, or why they show no model with experts. */
async function propose(folder: SourceFolder): Promise<{ proposal: Proposal | null; refusal: WireError | null }> {
  try {
    return { proposal: await inspectFolder(folder, architectures.all()), refusal: null };
  } catch (error) {
    if (!isStudioError(error, 'checkpoint')) throw error;
    return { proposal: null, refusal: toWireError(error) };
  }
}

function knownDescriptor({ descriptor }: SourceSpec, modelType: string): Architecture | null {
  return descriptor === undefined ? (architectureFor(modelType) ?? null) : parseDescriptor(descriptor);
}

/** The inspector as the worker serves it; in Node it runs against a fake platform. */
export class InspectService implements InspectApi {
  readonly #platform: InspectPlatform;

  constructor(platform: InspectPlatform) {
    this.#platform = platform;
  }

  modelType(source: SourceSpec): Promise<WireResult<string>> {
    return attempt(async () => modelTypeOf(await this.#platform.openSource(source)));
  }

  inspect(source: SourceSpec): Promise<WireResult<Inspection>> {
    return attempt(async () => {
      const folder = await this.#platform.openSource(source);
      const modelType = await modelTypeOf(folder);
      return { modelType, known: knownDescriptor(source, modelType), ...(await propose(folder)) };
    });
  }

  testLayer(source: SourceSpec): Promise<WireResult<LayerTest>> {
    return attempt(async () => {
      const checkpoint = await openModel(this.#platform, source);
      const backend = await this.#platform.openBackend();
      try {
        return await testFirstLayer(checkpoint, backend);
      } finally {
        await backend.close();
      }
    });
  }
}

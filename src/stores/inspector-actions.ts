import { downloadBlob, safeFileName } from '../client/download.ts';
import { isStudioError, StudioError, toWireError, type WireError } from '../core/base/errors.ts';
import type { SourceSpec } from '../core/protocol/source-spec.ts';
import { changeSource, whyBusy } from './checkpoint-actions.ts';
import { checkpointStore } from './checkpoint-store.ts';
import { dropKeptDescriptor, keepDescriptor } from './inspector-kept.ts';
import { openInspector } from './inspector-open.ts';
import { inspectorStore, setDescriptor } from './inspector-store.ts';

const descriptorFile = () => import('../core/architectures/descriptor-file.ts');

/** Replaces one line of the descriptor by a value in JSON. Gives why it cannot be, or null. */
export async function correctField(field: string, text: string): Promise<WireError | null> {
  const { descriptor } = inspectorStore.getState();
  if (descriptor === null) return null;
  try {
    const { correctLine } = await import('../core/inspector/descriptor-lines.ts');
    setDescriptor(correctLine(descriptor, field, jsonOf(text)), `${field} is now ${text.trim()}.`);
    return null;
  } catch (error) {
    return toWireError(error);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new StudioError('usage', 'not-json', `${text.trim() === '' ? 'An empty line' : text.trim()} is not JSON.`, {
      nextStep: 'Put texts in double quotes; numbers, true, false and null stand without.',
    });
  }
}

/** Takes a whole descriptor file's text. Gives why it cannot be taken, or null. */
export async function takeDescriptorText(text: string): Promise<WireError | null> {
  try {
    const { parseDescriptor } = await descriptorFile();
    const descriptor = parseDescriptor(text);
    setDescriptor(descriptor, `The descriptor "${descriptor.id}" is taken over.`);
    return null;
  } catch (error) {
    return toWireError(error);
  }
}

/** Takes a descriptor file for the model that is shown, or for the one that was chosen last. @throws StudioError */
export async function takeDescriptorFile(file: File): Promise<void> {
  const { source } = checkpointStore.getState();
  const { parseDescriptor } = await descriptorFile();
  const descriptor = parseDescriptor(await file.text());
  if (inspectorStore.getState().source === null) {
    if (source === null) {
      throw new StudioError('usage', 'no-model', `"${file.name}" describes a model, and none is open.`, {
        nextStep: 'Open the folder of the model first, then drop the descriptor.',
        details: { file: file.name },
      });
    }
    await openInspector(source, null);
  }
  if (inspectorStore.getState().source === null) return;
  setDescriptor(descriptor, `The descriptor of "${file.name}" is taken over.`);
}

interface Described {
  readonly spec: SourceSpec;
  readonly text: string;
}

/** The shown source with the shown descriptor, and that as a file's text. */
async function described(): Promise<Described | null> {
  const { source, descriptor } = inspectorStore.getState();
  if (source === null || descriptor === null) return null;
  const { serialiseDescriptor } = await descriptorFile();
  const text = serialiseDescriptor(descriptor);
  return { spec: { ...source.spec, descriptor: text }, text };
}

async function orShow(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    inspectorStore.setState({ error: toWireError(error), notice: null });
  }
}

/** Computes the first layer with experts by the present descriptor. */
export async function testOneLayer(): Promise<void> {
  const { descriptor, test } = inspectorStore.getState();
  if (descriptor === null || test.status === 'running') return;
  inspectorStore.setState({ test: { status: 'running' }, notice: null, error: null });
  const isCurrent = () => inspectorStore.getState().descriptor === descriptor;
  try {
    const model = await described();
    const { testLayer } = await import('../client/inspect-client.ts');
    if (model === null) return;
    const figures = await testLayer(model.spec);
    if (isCurrent()) inspectorStore.setState({ test: { status: 'passed', figures } });
  } catch (error) {
    if (!isCurrent()) return;
    const cancelled = isStudioError(error) && error.code === 'cancelled';
    inspectorStore.setState({
      test: cancelled ? { status: 'idle' } : { status: 'failed', error: toWireError(error) },
      notice: cancelled ? 'The test was cancelled.' : null,
    });
  }
}

export async function cancelLayerTest(): Promise<void> {
  const { stopInspector } = await import('../client/inspect-client.ts');
  stopInspector();
}

/** Opens the model with the present descriptor; calibration and export go by it from then on. */
export async function adoptDescriptor(): Promise<void> {
  await orShow(async () => {
    const busy = whyBusy();
    if (busy !== null) throw busy;
    const model = await described();
    if (model === null) return;
    const { source } = inspectorStore.getState();
    inspectorStore.setState({ opening: true, notice: null, error: null });
    try {
      const { openCheckpoint } = await import('../client/calibration-client.ts');
      await openCheckpoint(model.spec);
    } finally {
      inspectorStore.setState({ opening: false });
    }
    if (inspectorStore.getState().source === source) changeSource(model.spec);
  });
}

/** Keeps the descriptor in this browser for models of this type, and downloads it. */
export async function saveDescriptor(): Promise<void> {
  await orShow(async () => {
    const model = await described();
    const { modelType, descriptor } = inspectorStore.getState();
    if (model === null || descriptor === null) return;
    const kept = modelType !== '' && keepDescriptor(modelType, model.text);
    const name = `${safeFileName(modelType === '' ? descriptor.id : modelType)}.descriptor.json`;
    downloadBlob(name, new Blob([model.text], { type: 'application/json' }));
    const where = kept
      ? `Models of the type "${modelType}" open by it in this browser`
      : 'This browser keeps no copy of it';
    inspectorStore.setState({ kept, notice: `Saved as ${name}. ${where}.`, error: null });
  });
}

/** Removes what is kept for this type. */
export function forgetDescriptor(): void {
  const { modelType } = inspectorStore.getState();
  dropKeptDescriptor(modelType);
  inspectorStore.setState({
    kept: false,
    notice: `Nothing is kept for models of the type "${modelType}" any more.`,
    error: null,
  });
}

export type CopyForm = 'descriptor' | 'attributes' | 'observer';

/** Puts the descriptor into the clipboard in one of its forms. */
export async function copyDescriptor(form: CopyForm, label: string): Promise<void> {
  await orShow(async () => {
    const model = await described();
    const { descriptor, proposal } = inspectorStore.getState();
    if (model === null || descriptor === null) return;
    const { referenceTexts } = await import('../core/inspector/copy-as.ts');
    const { modelAttributes, observerConfig } = referenceTexts(descriptor, proposal?.block.classes);
    const texts = { descriptor: model.text, attributes: modelAttributes, observer: observerConfig };
    await navigator.clipboard.writeText(texts[form]).catch((cause: unknown) => {
      throw new StudioError('usage', 'no-clipboard', 'The browser did not let the page write to the clipboard.', {
        nextStep: 'Allow it for this page, or save the descriptor and run the command line: inspect MODEL --json.',
        cause,
      });
    });
    inspectorStore.setState({ notice: `Copied: ${label}.`, error: null });
  });
}

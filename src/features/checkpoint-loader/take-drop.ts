import { StudioError } from '../../core/base/errors.ts';
import { changeSource, refuse } from '../../stores/checkpoint-actions.ts';
import { checkpointStore } from '../../stores/checkpoint-store.ts';
import { addOwnTexts } from '../../stores/corpus-store.ts';
import { kindOfDrop } from './drop-sorting.ts';
import { checkpointSource, type FileGroup, filesOfDrop } from './folder-files.ts';

/**
 * Opens what was dropped on the page: a checkpoint, texts to calibrate on, a plan to hold against the open model, or a
 * descriptor to read it by.
 */
export async function takeDrop(transfer: DataTransfer): Promise<void> {
  try {
    const group = await filesOfDrop(transfer);
    const kind = kindOfDrop(group.files.map(({ name }) => name));
    if (kind === 'plan') await checkPlan(group);
    else if (kind === 'descriptor') await takeDescriptor(group);
    else if (kind === 'text') takeTexts(group);
    else changeSource(checkpointSource(group));
  } catch (error) {
    refuse(error);
  }
}

function takeTexts({ files }: FileGroup): void {
  addOwnTexts(files.map((file) => ({ name: file.name, text: { kind: 'file', file }, size: file.size })));
}

async function takeDescriptor({ files }: FileGroup): Promise<void> {
  const file = files[0];
  if (file === undefined) return;
  const { takeDescriptorFile } = await import('../../stores/inspector-actions.ts');
  await takeDescriptorFile(file);
}

async function checkPlan({ files }: FileGroup): Promise<void> {
  const file = files[0];
  if (file === undefined) return;
  const { parsePlan, checkPlanFits } = await import('../../core/plan/plan-file.ts');
  const plan = parsePlan(await file.text());
  const { summary } = checkpointStore.getState();
  if (summary !== null) checkPlanFits(plan, summary);
  throw new StudioError(
    'usage',
    'plan-not-opened',
    `The page makes plans and does not open them: "${file.name}" was only checked.`,
    {
      nextStep: 'To write the model of a finished plan, use the command line: export MODEL --plan FILE --out FOLDER.',
    },
  );
}

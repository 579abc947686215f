import { changeSource, refuse } from '../../stores/checkpoint-actions.ts';
import { addOwnTexts } from '../../stores/corpus-store.ts';
import { kindOfDrop } from './drop-sorting.ts';
import { checkpointSource, type FileGroup, filesOfDrop } from './folder-files.ts';

/**
 * Opens what was dropped on the page: a checkpoint, texts to calibrate on, a plan or statistics of the studio or of another
 * tool, or a descriptor to read the model by.
 */
export async function takeDrop(transfer: DataTransfer): Promise<void> {
  try {
    const group = await filesOfDrop(transfer);
    const kind = kindOfDrop(group.files.map(({ name }) => name));
    if (kind === 'document') await takeDocument(group);
    else if (kind === 'text') takeTexts(group);
    else changeSource(checkpointSource(group));
  } catch (error) {
    refuse(error);
  }
}

function takeTexts({ files }: FileGroup): void {
  addOwnTexts(files.map((file) => ({ name: file.name, text: { kind: 'file', file }, size: file.size })));
}

async function takeDocument({ files }: FileGroup): Promise<void> {
  const file = files[0];
  if (file === undefined) return;
  const { openPlanFile } = await import('../../stores/plan-opening.ts');
  if (await openPlanFile(file)) return;
  const { takeDescriptorFile } = await import('../../stores/inspector-actions.ts');
  await takeDescriptorFile(file);
}

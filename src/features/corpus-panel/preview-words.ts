import type { TextPreview } from '../../core/protocol/corpus-protocol.ts';

/** "1 row", "1,200 rows" */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : `${noun}s`}`;
}

/** How the text will be used, in a few words; `modelOpen` tells a model without a template from no model. */
export function formWords({ form, rows, column }: TextPreview, modelOpen: boolean): string {
  const how = {
    text: column === null ? 'plain text' : 'text as it stands',
    chat: "conversations, by the model's chat template",
    plain: modelOpen ? 'conversations, without a chat template' : 'conversations',
  }[form];
  if (rows === null || column === null) return how;
  return `${rows.isEstimate ? 'about ' : ''}${countOf(rows.count, 'row')}, ${how}`;
}

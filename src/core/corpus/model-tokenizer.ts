import { StudioError } from '../base/errors.ts';
import type { SourceFolder } from '../bytes/byte-source.ts';
import { type ChatTemplate, compileChatTemplate } from './chat-template.ts';
import { loadTokenizer, readTokenizerConfig, type TextTokenizer } from './tokenizer.ts';

/** Larger than any tokenizer in use (the largest have some 35 MB). */
const MAX_TOKENIZER_BYTES = 256 * 1024 * 1024;

async function readFile(folder: SourceFolder, name: string, signal?: AbortSignal): Promise<Uint8Array | undefined> {
  if (!folder.names.includes(name)) return undefined;
  const source = await folder.open(name, signal);
  if (source.size > MAX_TOKENIZER_BYTES) {
    throw new StudioError(
      'corpus',
      'bad-tokenizer',
      `"${name}" has ${source.size} bytes, more than a tokenizer can have.`,
      {
        nextStep: 'Check that this is the original file of the model.',
        details: { file: name },
      },
    );
  }
  return source.read(0, source.size, signal);
}

/**
 * The tokenizer beside a checkpoint's weights, and its chat template where there is one (chat_template.jinja before the
 * one in tokenizer_config.json, as transformers reads them).
 * @throws StudioError family `corpus`: `missing-tokenizer`, `bad-tokenizer`, `bad-chat-template`.
 */
export async function loadModelTokenizer(
  folder: SourceFolder,
  signal?: AbortSignal,
): Promise<{ readonly tokenizer: TextTokenizer; readonly chatTemplate: ChatTemplate | undefined }> {
  const json = await readFile(folder, 'tokenizer.json', signal);
  if (json === undefined) {
    throw new StudioError('corpus', 'missing-tokenizer', `"${folder.label}" holds no tokenizer.json.`, {
      nextStep: 'Add the tokenizer.json of the same model to the folder and open it again.',
      details: { file: 'tokenizer.json' },
    });
  }
  const config = await readFile(folder, 'tokenizer_config.json', signal);
  return { tokenizer: loadTokenizer(json, config), chatTemplate: await templateOf(folder, config, signal) };
}

/**
 * The chat template beside a checkpoint's weights alone, without the tokenizer; undefined where there is none.
 * @throws StudioError family `corpus`: `bad-tokenizer`, `bad-chat-template`.
 */
export async function loadChatTemplate(folder: SourceFolder, signal?: AbortSignal): Promise<ChatTemplate | undefined> {
  return templateOf(folder, await readFile(folder, 'tokenizer_config.json', signal), signal);
}

async function templateOf(
  folder: SourceFolder,
  config: Uint8Array | undefined,
  signal?: AbortSignal,
): Promise<ChatTemplate | undefined> {
  const { specialTokens, chatTemplate } = readTokenizerConfig(config);
  const file = await readFile(folder, 'chat_template.jinja', signal);
  const template = file === undefined ? chatTemplate : new TextDecoder().decode(file);
  return template === undefined ? undefined : compileChatTemplate(template, { specialTokens });
}

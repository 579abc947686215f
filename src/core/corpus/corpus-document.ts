import type { ChatMessage } from './chat-template.ts';

/** One document of a corpus: bare text, or a conversation that the model's chat template turns into text. */
export type CorpusDocument =
  | { readonly kind: 'text'; readonly text: string }
  | {
      readonly kind: 'chat';
      readonly messages: readonly ChatMessage[];
      readonly tools?: readonly unknown[] | undefined;
      /** The same as bare text, for a model without a template; only where a row holds no roles of its own. */
      readonly plain?: string;
    };

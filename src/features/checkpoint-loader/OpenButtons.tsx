import { useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { changeSource, refuse } from '../../stores/checkpoint-actions.ts';
import { Button } from '../../ui/Button.tsx';
import { openDemo } from './demo.ts';
import { checkpointSource, filesOfDirectory, filesOfInput } from './folder-files.ts';
import { RepoButton } from './RepoButton.tsx';

interface OpenButtonsProps {
  readonly large?: boolean;
  readonly disabled: boolean;
}

/** The ways in that need no drop. */
export function OpenButtons({ large = false, disabled }: OpenButtonsProps) {
  const queries = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const size = large ? 'large' : 'normal';
  const openFolder = async () => {
    if (!('showDirectoryPicker' in window)) {
      input.current?.click();
      return;
    }
    try {
      changeSource(checkpointSource(await filesOfDirectory(await window.showDirectoryPicker({ id: 'checkpoint' }))));
    } catch (error) {
      // The person closed the picker.
      if (!(error instanceof DOMException && error.name === 'AbortError')) refuse(error);
    }
  };
  return (
    <>
      <Button
        look={large ? 'primary' : 'secondary'}
        size={size}
        disabled={disabled}
        onClick={() => void openDemo(queries)}
      >
        Try the demo
      </Button>
      <Button size={size} disabled={disabled} onClick={() => void openFolder()}>
        Open folder
      </Button>
      <RepoButton size={size} disabled={disabled} />
      <input
        ref={input}
        type="file"
        hidden
        multiple
        aria-label="Checkpoint folder"
        {...{ webkitdirectory: '' }}
        onChange={(event) => {
          const { files } = event.target;
          if (files === null || files.length === 0) return;
          try {
            changeSource(checkpointSource(filesOfInput(files)));
          } catch (error) {
            refuse(error);
          }
          event.target.value = '';
        }}
      />
    </>
  );
}

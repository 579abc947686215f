interface FolderState {
  /** What the browser answers before and after the person is asked. */
  readonly before?: PermissionState;
  readonly after?: PermissionState;
  /** What listing throws: the folder was moved or deleted. */
  readonly failure?: Error;
}

/** A directory handle as far as the stores use it; two of one id are the same folder. */
export function folderHandle(id: string, { before = 'granted', after = before, failure }: FolderState = {}) {
  const handle = {
    kind: 'directory',
    name: id,
    isSameEntry: async (other: FileSystemHandle) => other.name === id,
    queryPermission: async () => before,
    requestPermission: async () => after,
    keys: async function* () {
      if (failure !== undefined) throw failure;
      yield 'config.json';
    },
  };
  // A test has no browser to get one from.
  return handle as unknown as FileSystemDirectoryHandle;
}

interface FolderState {
  /** What the browser answers before and after the person is asked. */
  readonly before?: PermissionState;
  readonly after?: PermissionState;
  /** What listing throws: the folder was moved or deleted. */
  readonly failure?: Error;
  readonly files?: readonly File[];
}

/** A directory handle as far as the stores use it; two of one id are the same folder. */
export function folderHandle(
  id: string,
  { before = 'granted', after = before, failure, files = [] }: FolderState = {},
) {
  const handle = {
    kind: 'directory',
    name: id,
    isSameEntry: async (other: FileSystemHandle) => other.name === id,
    queryPermission: async () => before,
    requestPermission: async () => after,
    values: async function* () {
      if (failure !== undefined) throw failure;
      for (const file of files) yield { kind: 'file', name: file.name, getFile: async () => file };
    },
  };
  // A test has no browser to get one from.
  return handle as unknown as FileSystemDirectoryHandle;
}

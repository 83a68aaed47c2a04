import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { joinWords } from '../../protocol/mmcloud/shell-words.ts';

/**
 * Writes the script that runs these arguments, hands its path over, and removes it. Arguments may be secret: directory
 * and file are for our user alone.
 */
export async function withJobFile<T>(args: readonly string[], use: (path: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), 'rollcall-job-'));
  try {
    const path = join(directory, 'job.sh');
    await writeFile(path, `#!/bin/bash\n${joinWords(args)}\n`, { mode: 0o600, flag: 'wx' });
    return await use(path);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

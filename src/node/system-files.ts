/** The machine's files and name, for a host that is told to use them. */
import { readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { SystemFiles } from '../net/system-files.ts';

export const nodeSystemFiles: SystemFiles = {
  stamp(path: string): string | undefined {
    try {
      const { mtimeNs, size } = statSync(path, { bigint: true });
      return `${mtimeNs} ${size}`;
    } catch {
      return undefined;
    }
  },

  read(path: string): string | undefined {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return undefined;
    }
  },

  hostname,
};

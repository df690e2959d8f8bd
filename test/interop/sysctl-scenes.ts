/** The kernel's settings in a fresh network: its defaults. */
import { readdirSync, readFileSync } from 'node:fs';
import { release } from 'node:os';
import { join } from 'node:path';

export const moduleUrl = import.meta.url;

const FOLDERS = ['/proc/sys/net/ipv4', '/proc/sys/net/ipv4/route', '/proc/sys/net/ipv6', '/proc/sys/net/core'];

/** By name, as the files have them; `release` is the kernel's. */
export function kernelDefaults(): { release: string; settings: Record<string, string> } {
  const settings: Record<string, string> = {};
  for (const folder of FOLDERS) {
    for (const file of readdirSync(folder, { withFileTypes: true })) {
      if (!file.isFile()) continue;
      try {
        settings[file.name] = readFileSync(join(folder, file.name), 'utf8').trim().replace(/\s+/g, ' ');
      } catch {
        // Some can only be written.
      }
    }
  }
  return { release: release(), settings };
}

/** What a failed seed leaves behind: the reason, the ladder's last lines, and a capture file. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Ladder } from '../../src/lab/ladder.ts';
import type { PacketWatcher } from '../../src/link/captured.ts';

/** Lines of the ladder that are shown. */
const SHOWN = 60;

export interface Recording {
  /** For a capture: bytes of the pcapng file, and every packet. */
  readonly write: (bytes: Uint8Array) => void;
  readonly onPacket: PacketWatcher;
}

/**
 * Plays a failure once more, recorded; the seed makes it the same.
 * @param again plays it; what it throws is what went wrong
 * @param rerun the command that plays this one alone
 * @returns an error whose message says all
 */
export async function explain(
  seed: string,
  cause: Error,
  rerun: string,
  again: (recording: Recording) => Promise<unknown>,
): Promise<Error> {
  const ladder = new Ladder({ left: 'client', right: 'server' });
  const lines: string[] = [];
  const capture: Uint8Array[] = [];
  await again({
    write: (bytes) => capture.push(bytes),
    onPacket: (bytes, direction, at, segmentSize) => {
      lines.push(...ladder.add({ bytes, direction, at, segmentSize }));
      if (lines.length > 4 * SHOWN) lines.splice(0, lines.length - SHOWN);
    },
  }).catch(() => {});
  const file = path.join(os.tmpdir(), `tunstack-seed-${seed.replace(/\W/g, '_')}.pcapng`);
  fs.writeFileSync(file, Buffer.concat(capture));
  const shown = lines.slice(-SHOWN).join('\n');
  return new Error(`seed ${seed}: ${cause.message}\n\n${shown}\n\nall packets: ${file}\nthis one alone: ${rerun}`, {
    cause,
  });
}

/** What capture.test.ts plays in a network namespace of its own: captures, judged by tshark. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { captured } from '../../src/link/captured.ts';
import type { Link } from '../../src/link/link.ts';
import { exchange } from './flow.ts';
import { type Ground, type GroundOptions, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** What tshark says of a capture. */
export interface Judgement {
  /** Frames that it found. */
  readonly frames: number;
  /** Packets that were captured. */
  readonly packets: number;
  /** The fields of the frames with something wrong: a checksum, a length, a gap. */
  readonly wrong: readonly string[];
  /** What it wrote to stderr. */
  readonly complaints: string;
}

/** A transfer of `size` bytes each way and a refused dial in one capture. */
export function capture(options: GroundOptions, size: number) {
  const directory = mkdtempSync(join(tmpdir(), 'tunstack-'));
  const file = join(directory, 'capture.pcapng');
  const fd = openSync(file, 'w');
  let packets = 0;
  const write = (bytes: Uint8Array) => void writeSync(fd, bytes);
  const wrap = (link: Link) => captured(link, { write, onPacket: () => packets++ });
  return onGround({ ...options, wrap }, async (ground) => {
    try {
      await transferAndMore(ground, size);
      closeSync(fd);
      const seen = packets;
      return { judgement: await ground.within(20_000, 'tshark', judge(file, seen)) };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

async function transferAndMore(ground: Ground, size: number): Promise<void> {
  const { host, kernel } = ground;
  const plan = { bytes: size };
  const listener = await host.listen('tcp', ':7');
  const accepted = listener.accept().then((conn) => exchange(conn, plan));
  await ground.within(8000, 'both ways', Promise.all([accepted, kernel.dial(7, plan)]));
  listener.close();
  await host.dial('tcp', '10.9.0.1:9').catch(() => {});
}

/** What makes a frame wrong, as fields that are empty when all is well; and a checksum's status 0. */
const CHECKSUMS = ['ip.checksum.status', 'tcp.checksum.status', 'icmp.checksum.status'];
const FAULTS = ['_ws.malformed', 'tcp.analysis.lost_segment'];
const FIELDS = ['frame.number', ...CHECKSUMS, ...FAULTS];
const BAD = '0';

async function judge(file: string, packets: number): Promise<Judgement> {
  const checked = ['ip.check_checksum:TRUE', 'tcp.check_checksum:TRUE'].flatMap((option) => ['-o', option]);
  const fields = FIELDS.flatMap((field) => ['-e', field]);
  const { lines, complaints } = await tshark(['-r', file, ...checked, '-T', 'fields', '-E', 'occurrence=f', ...fields]);
  const wrong = lines.filter((line) => {
    const values = line.split('\t').slice(1);
    return values.some((value, i) => (i < CHECKSUMS.length ? value === BAD : value !== ''));
  });
  return { packets, frames: lines.length, wrong, complaints };
}

async function tshark(args: readonly string[]): Promise<{ lines: string[]; complaints: string }> {
  const child = spawn('tshark', args);
  let said = '';
  let complaints = '';
  child.stdout.on('data', (data: Buffer) => {
    said += data.toString();
  });
  child.stderr.on('data', (data: Buffer) => {
    complaints += data.toString();
  });
  await once(child, 'close');
  return {
    lines: said.split('\n').filter((line) => line !== ''),
    // Not about the capture.
    complaints: complaints.replace(/^Running as user "root".*\n/m, ''),
  };
}

/** What transfer.test.ts plays in a network namespace of its own. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { serveHttp } from '../../src/node/http.ts';
import { exchange } from './flow.ts';
import { type GroundOptions, OURS, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

/** One way of a transfer: what went in, what came out. */
export interface Transfer {
  readonly bytes: number;
  readonly sent: string;
  readonly received: string;
  /** Mbit/s, for people. */
  readonly rate: number;
}

const PIECE = 1_000_003;

/** A file's worth of bytes that differ from one piece to the next. */
function* content(size: number): Generator<Uint8Array> {
  const piece = new Uint8Array(PIECE).map((_, i) => Math.imul(i, 0x9e37_79b1) >>> 21);
  for (let sent = 0; sent < size; sent += PIECE) {
    piece[0] = (sent / PIECE) & 0xff;
    yield piece.slice(0, Math.min(PIECE, size - sent));
  }
}

function hashOf(pieces: Iterable<Uint8Array>): string {
  const hash = createHash('sha256');
  for (const piece of pieces) hash.update(piece);
  return hash.digest('hex');
}

async function hashStream(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of stream) hash.update(piece);
  return hash.digest('hex');
}

/** @throws Error with what curl said */
async function curl(args: readonly string[]): Promise<void> {
  const child = spawn('curl', ['--silent', '--show-error', '--fail', '--max-time', '100', ...args]);
  let said = '';
  child.stderr.on('data', (data: Buffer) => {
    said += data.toString();
  });
  child.stdout.resume();
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`curl ${args.join(' ')}: status ${code}: ${said}`);
}

/** curl fetches `size` bytes from Node's http server on our connections, and sends as many back. */
export function curls(options: GroundOptions, size: number, limit: number) {
  return onGround(options, async (ground) => {
    const directory = mkdtempSync(join(tmpdir(), 'tunstack-'));
    const file = join(directory, 'body');
    const answers = new Answers(size);
    const service = serveHttp(await ground.host.listen('tcp', ':80'), answers.server);
    try {
      const sent = hashOf(content(size));
      const down = await timed(size, sent, async () => {
        await ground.within(limit, 'curl down', curl([`http://${OURS}/`, '--output', file]));
        return hashStream(createReadStream(file));
      });
      await pipeline(Readable.from(content(size)), createWriteStream(file));
      const up = await timed(size, sent, async () => {
        await ground.within(limit, 'curl up', curl(['--upload-file', file, `http://${OURS}/`]));
        return answers.uploaded;
      });
      await ground.within(2000, 'the end of the service', service.close());
      return { down, up };
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
}

/** Gives `size` bytes to a GET, and hashes what comes otherwise. */
class Answers {
  uploaded = '';
  readonly server: Server;

  constructor(size: number) {
    this.server = createServer((request, response) => {
      if (request.method === 'GET') {
        response.writeHead(200, { 'content-length': size });
        Readable.from(content(size), { objectMode: false, highWaterMark: 1 << 20 }).pipe(response);
        return;
      }
      void hashStream(request).then((hash) => {
        this.uploaded = hash;
        response.end('thanks\n');
      });
    });
  }
}

async function timed(bytes: number, sent: string, transfer: () => Promise<string>): Promise<Transfer> {
  const began = performance.now();
  const received = await transfer();
  return { bytes, sent, received, rate: (bytes * 8) / 1000 / (performance.now() - began) };
}

/** We dial a server of the kernel's; bytes go both ways at once. */
export function dials(options: GroundOptions, size: number, limit: number) {
  return onGround(options, async (ground) => {
    const plan = { bytes: size, hash: true };
    const port = await ground.kernel.listen({ plan });
    const conn = await ground.within(5000, 'dial', ground.host.dial('tcp', `10.9.0.1:${port}`));
    const both = Promise.all([exchange(conn, plan), ground.kernel.served(port)]);
    const [ours, kernels] = await ground.within(limit, 'both ways', both);
    return { ours, kernels };
  });
}

/** The kernel dials us; bytes go both ways at once. */
export function listens(options: GroundOptions, size: number, limit: number) {
  return onGround(options, async (ground) => {
    const plan = { bytes: size, hash: true };
    const listener = await ground.host.listen('tcp', ':7');
    const accepted = listener.accept().then((conn) => exchange(conn, plan));
    const both = Promise.all([accepted, ground.kernel.dial(7, plan)]);
    const [ours, kernels] = await ground.within(limit, 'both ways', both);
    listener.close();
    return { ours, kernels };
  });
}

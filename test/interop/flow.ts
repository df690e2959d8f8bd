/** A stream of bytes through a connection, both ways at once, with what can be said of it afterwards. */
import { createHash, type Hash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { TCPConn } from '../../src/net/tcp-conn.ts';

/** What one end does with its connection; then it has seen the end of the peer's stream and has ended its own. */
export interface Plan {
  /** Bytes to send before the end of the stream. Default: 0. */
  readonly bytes?: number;
  /** In place of `bytes`: sends as long as this, ms. */
  readonly ms?: number;
  /** Whether both ways are hashed (SHA-256); this takes a third of a core at 10 Gbit/s. Default: false. */
  readonly hash?: boolean;
}

export interface Outcome {
  readonly sent: number;
  readonly received: number;
  readonly sentHash: string;
  readonly receivedHash: string;
  /** From the first to the last byte received, ms; 0 when there were none. */
  readonly receivingFor: number;
  /** The longest time without a byte between two that were received, ms. */
  readonly longestGap: number;
}

/** A prime, so that a piece of the stream that slipped by a round number shows. */
const BLOCK = 1_000_003;
const WRITE = 262_144;

/** The stream repeats this block. */
const block = makeBlock();

function makeBlock(): Uint8Array {
  const bytes = new Uint8Array(BLOCK + WRITE);
  let x = 1;
  for (let i = 0; i < BLOCK; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    bytes[i] = x >>> 23;
  }
  bytes.set(bytes.subarray(0, WRITE), BLOCK);
  return bytes;
}

/** One direction's record. */
class Record {
  count = 0;
  longestGap = 0;
  #first = 0;
  #last = 0;
  readonly #hash: Hash | undefined;

  constructor(hash: boolean) {
    this.#hash = hash ? createHash('sha256') : undefined;
  }

  add(bytes: Uint8Array): void {
    const now = performance.now();
    if (this.count === 0) this.#first = now;
    else this.longestGap = Math.max(this.longestGap, now - this.#last);
    this.#last = now;
    this.count += bytes.length;
    this.#hash?.update(bytes);
  }

  get duration(): number {
    return this.#last - this.#first;
  }

  digest(): string {
    return this.#hash?.digest('hex') ?? '';
  }
}

/** The pieces of the plan's stream, one after the other; undefined at its end. */
function pieces({ bytes = 0, ms }: Plan): (sent: number) => Uint8Array | undefined {
  const until = ms === undefined ? Infinity : performance.now() + ms;
  const total = ms === undefined ? bytes : Infinity;
  return (sent) => {
    if (sent >= total || performance.now() >= until) return undefined;
    const at = sent % BLOCK;
    return block.subarray(at, at + Math.min(WRITE, total - sent));
  };
}

function outcome(sent: Record, received: Record): Outcome {
  return {
    sent: sent.count,
    received: received.count,
    sentHash: sent.digest(),
    receivedHash: received.digest(),
    receivingFor: received.duration,
    longestGap: received.longestGap,
  };
}

/** On our side. The connection is closed in the end. */
export async function exchange(conn: TCPConn, plan: Plan): Promise<Outcome> {
  const sent = new Record(plan.hash ?? false);
  const received = new Record(plan.hash ?? false);
  const send = async () => {
    const next = pieces(plan);
    for (let piece = next(0); piece !== undefined; piece = next(sent.count)) {
      await conn.write(piece);
      sent.add(piece);
    }
    conn.closeWrite();
  };
  const receive = async () => {
    const buffer = new Uint8Array(262_144);
    for (let got = await conn.read(buffer); got !== null; got = await conn.read(buffer)) {
      received.add(buffer.subarray(0, got));
    }
  };
  await Promise.all([send(), receive()]);
  conn.close();
  return outcome(sent, received);
}

/** On the kernel's side; the socket must allow half-open connections. */
export async function exchangeSocket(socket: Socket, plan: Plan): Promise<Outcome> {
  const sent = new Record(plan.hash ?? false);
  const received = new Record(plan.hash ?? false);
  await new Promise<void>((resolve, reject) => {
    const next = pieces(plan);
    const send = () => {
      for (;;) {
        const piece = next(sent.count);
        if (piece === undefined) {
          socket.end();
          return;
        }
        sent.add(piece);
        if (!socket.write(piece)) break;
      }
      socket.once('drain', send);
    };
    socket.on('data', (data: Uint8Array) => received.add(data));
    socket.once('error', reject);
    socket.once('close', (hadError) => {
      if (!hadError) resolve();
    });
    if (socket.connecting) socket.once('connect', send);
    else send();
  });
  return outcome(sent, received);
}

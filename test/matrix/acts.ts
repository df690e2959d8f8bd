/** What the cases of the matrix are made of. */
import { createHash } from 'node:crypto';
import { expect } from 'chai';
import type { TestSocket } from '../../src/packetdrill/target.ts';
import { POLLIN, POLLOUT, SO_ERROR, SOL_SOCKET } from '../../src/socket/constants.ts';
import { EAGAIN, EINPROGRESS, errnoName } from '../../src/socket/errno.ts';
import type { SocketAddress } from '../../src/socket/socket.ts';
import type { TcpConfig } from '../../src/tcp/config.ts';
import type { Ground, Side } from './ground.ts';

/** Who dials. */
export type Dialler = 'ours' | 'peer';

export interface Ends {
  readonly dialled: TestSocket;
  readonly accepted: TestSocket;
  /** The same two: that of our stack, and the other's. */
  readonly ours: TestSocket;
  readonly peers: TestSocket;
  readonly listener: TestSocket;
  readonly port: number;
}

/** Fails with the errno's name. */
export function ok(result: number, what: string): number {
  if (result < 0) throw new Error(`${what}: ${errnoName(-result)}`);
  return result;
}

export function listen(side: Side, backlog = 16, setup: (socket: TestSocket) => void = () => {}): TestSocket {
  const socket = side.socket(side.domain);
  setup(socket);
  ok(socket.bind({ address: side.any, port: 0 }), 'bind');
  ok(socket.listen(backlog), 'listen');
  return socket;
}

export function nameOf(socket: TestSocket): SocketAddress {
  const name = socket.getsockname();
  if (typeof name === 'number') throw new Error(`getsockname: ${errnoName(-name)}`);
  return name;
}

export function takeError(socket: TestSocket): number {
  return socket.getsockopt(SOL_SOCKET, SO_ERROR) as number;
}

/** Begins to connect, without waiting. */
export function dial(from: Side, to: Side, port: number, setup: (socket: TestSocket) => void = () => {}): TestSocket {
  const socket = from.socket(from.domain);
  setup(socket);
  const result = socket.connect({ address: to.address, port });
  if (result !== -EINPROGRESS) ok(result, 'connect');
  return socket;
}

/** Waits until connect is done. @returns 0, or the errno */
export async function connected(g: Ground, socket: TestSocket, limit?: number): Promise<number> {
  await g.until('connect', () => (socket.poll() & POLLOUT) !== 0, limit);
  return takeError(socket);
}

export async function accept(g: Ground, listener: TestSocket): Promise<TestSocket> {
  let accepted: TestSocket | number = -EAGAIN;
  await g.until('accept', () => {
    accepted = listener.accept();
    return accepted !== -EAGAIN;
  });
  if (typeof accepted === 'number') throw new Error(`accept: ${errnoName(-accepted)}`);
  return g.keep(accepted);
}

export interface PairOptions {
  readonly dial?: (socket: TestSocket) => void;
  readonly listen?: (socket: TestSocket) => void;
}

/** A connection between the two. */
export async function pair(g: Ground, by: Dialler, options: PairOptions = {}): Promise<Ends> {
  const [from, to] = by === 'ours' ? [g.ours, g.peer] : [g.peer, g.ours];
  const listener = listen(to, 16, options.listen);
  const { port } = nameOf(listener);
  const dialled = dial(from, to, port, options.dial);
  const failed = await connected(g, dialled);
  if (failed !== 0) throw new Error(`connect: ${errnoName(failed)}`);
  const accepted = await accept(g, listener);
  const [ours, peers] = by === 'ours' ? [dialled, accepted] : [accepted, dialled];
  return { dialled, accepted, ours, peers, listener, port };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** All of it is sent, waiting for room. */
export async function send(g: Ground, socket: TestSocket, what: string | Uint8Array, flags = 0): Promise<void> {
  let rest = typeof what === 'string' ? bytes(what) : what;
  await g.until('send', () => {
    const sent = socket.send(rest, flags);
    if (sent === -EAGAIN) return false;
    rest = rest.subarray(ok(sent, 'send'));
    return rest.length === 0;
  });
}

/** Reads until so many bytes are there. @returns them as text */
export async function receive(g: Ground, socket: TestSocket, length: number, flags = 0): Promise<string> {
  let text = '';
  const into = new Uint8Array(65_536);
  await g.until(`recv of ${length} bytes, ${JSON.stringify(text)} so far`, () => {
    while (text.length < length) {
      const got = socket.recv(into.subarray(0, Math.min(into.length, length - text.length)), flags);
      if (got === -EAGAIN) return false;
      if (ok(got, 'recv') === 0) throw new Error(`recv: the end of the stream after ${JSON.stringify(text)}`);
      text += String.fromCharCode(...into.subarray(0, got));
    }
    return true;
  });
  return text;
}

/** The next recv that does not wait gives this: 0 at the end of the stream, a negated errno. */
export async function outcome(g: Ground, socket: TestSocket, limit?: number): Promise<number> {
  let got = -EAGAIN;
  await g.until(
    'recv',
    () => {
      got = socket.recv(new Uint8Array(16));
      return got !== -EAGAIN;
    },
    limit,
  );
  return got;
}

export async function ended(g: Ground, socket: TestSocket): Promise<void> {
  expect(await outcome(g, socket), 'the end of the stream').to.equal(0);
}

/** What bytes are to be told apart by. */
export function pattern(length: number, seed: number): Uint8Array {
  const all = new Uint8Array(length);
  let x = seed;
  for (let i = 0; i < length; i++) {
    x = (Math.imul(x, 1_103_515_245) + 12_345) | 0;
    all[i] = x >>> 23;
  }
  return all;
}

/** A stream that goes from one socket to the other, all at once or in as many turns as there is room. */
export class Stream {
  readonly #from: TestSocket;
  readonly #to: TestSocket;
  #rest: Uint8Array;
  readonly #sent: string;
  readonly #got = createHash('sha256');
  #left: number;
  readonly #into = new Uint8Array(262_144);

  constructor(from: TestSocket, to: TestSocket, length: number, seed = 1) {
    this.#from = from;
    this.#to = to;
    this.#rest = pattern(length, seed);
    this.#left = length;
    this.#sent = createHash('sha256').update(this.#rest).digest('hex');
  }

  /** Sends and reads what there is. @returns whether all has arrived */
  turn(): boolean {
    this.push();
    return this.pull();
  }

  /** @returns whether all was taken */
  push(): boolean {
    while (this.#rest.length > 0) {
      const sent = this.#from.send(this.#rest.subarray(0, 262_144));
      if (sent === -EAGAIN) return false;
      this.#rest = this.#rest.subarray(ok(sent, 'send'));
    }
    return true;
  }

  pull(): boolean {
    while (this.#left > 0) {
      const got = this.#to.recv(this.#into);
      if (got === -EAGAIN) return false;
      if (ok(got, 'recv') === 0) throw new Error(`the stream ended ${this.#left} bytes too early`);
      this.#got.update(this.#into.subarray(0, got));
      this.#left -= got;
    }
    return true;
  }

  verify(): void {
    expect(this.#left, 'bytes that did not come').to.equal(0);
    expect(this.#got.digest('hex')).to.equal(this.#sent);
  }
}

/** Whether a socket is ready to be read: data, the end, an error. */
export function readable(socket: TestSocket): boolean {
  return (socket.poll() & POLLIN) !== 0;
}

/** Settings of our stack for as long as `play` takes. */
export async function withSysctl(g: Ground, settings: Partial<TcpConfig>, play: () => Promise<void>): Promise<void> {
  const before = Object.fromEntries(
    Object.keys(settings).map((name) => [name, g.stack.sysctl[name as keyof TcpConfig]]),
  );
  Object.assign(g.stack.sysctl, settings);
  try {
    await play();
  } finally {
    Object.assign(g.stack.sysctl, before);
  }
}

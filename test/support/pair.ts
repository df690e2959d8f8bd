/**
 * Two hosts on a pipe, on one virtual clock, with seeded randomness: where most tests start.
 *
 *     const pair = connectedHosts();
 *     const { dialled, accepted } = await pair.connect();
 *     await pair.run(dialled.write(bytes));
 *     await pair.close();
 */
import { createHost, type Host } from '../../src/host.ts';
import type { Link, LinkCapabilities, LinkReceiver } from '../../src/link/link.ts';
import type { PacketBatch } from '../../src/link/packet.ts';
import { createPipe, type PipeOptions } from '../../src/link/pipe.ts';
import type { DialOptions } from '../../src/net/dial.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { joinHostPort } from '../../src/net/host-port.ts';
import type { ListenOptions } from '../../src/net/listen.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { TCPListener } from '../../src/net/tcp-listener.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { FAMILY, type Family, inFamily } from './wire-family.ts';

/** 10.9.0.1 and 10.9.0.2, or the IPv6 addresses that end so (wire-family.ts). */
export const CLIENT_ADDRESS: string = String(inFamily('10.9.0.1'));
export const SERVER_ADDRESS: string = String(inFamily('10.9.0.2'));

export interface PairOptions extends PipeOptions {
  /** What their addresses are. Default: IPv4, or what TUNSTACK_FAMILY says. */
  readonly family?: Family;
  /** What both hosts' randomness comes from; 1 by default. */
  readonly seed?: number;
  /** More options for both hosts. */
  readonly host?: Pick<HostOptions, 'sysctl' | 'trace' | 'resolver' | 'routes' | 'hasher'>;
  /** Puts a link around an end of the pipe: impaired, captured, ... */
  readonly wrap?: (link: Link, end: 'client' | 'server', clock: VirtualClock) => Link;
}

export interface Connection {
  readonly listener: TCPListener;
  readonly dialled: TCPConn;
  readonly accepted: TCPConn;
}

export interface ConnectOptions {
  readonly dial?: DialOptions;
  readonly listen?: ListenOptions;
}

export class Pair {
  readonly clock: VirtualClock;
  /** CLIENT_ADDRESS */
  readonly client: Host;
  /** SERVER_ADDRESS */
  readonly server: Host;
  readonly #cable: Cable;

  constructor(clock: VirtualClock, client: Host, server: Host, cable: Cable) {
    this.clock = clock;
    this.client = client;
    this.server = server;
    this.#cable = cable;
  }

  /** Lets time pass until the promise settles, and gives what it gives. */
  run<T>(until: Promise<T>): Promise<T> {
    return this.clock.run({ until });
  }

  /** A listener on the server, and a connection through it, which the client dialled. */
  async connect(options: ConnectOptions = {}): Promise<Connection> {
    const listener = await this.server.listen(
      'tcp',
      joinHostPort(String(this.server.addresses[0]), '0'),
      options.listen,
    );
    const both = Promise.all([this.client.dial('tcp', listener.addr().toString(), options.dial), listener.accept()]);
    const [dialled, accepted] = await this.run(both);
    return { listener, dialled, accepted };
  }

  /** From now on nothing gets through in either direction, and nobody is told. */
  cut(): void {
    this.#cable.isCut = true;
  }

  /** Heals a cut. */
  mend(): void {
    this.#cable.isCut = false;
  }

  /** Ends both hosts at once; what is not delivered is lost. */
  async close(): Promise<void> {
    await Promise.all([this.client.close({ timeout: 0 }), this.server.close({ timeout: 0 })]);
  }
}

/** Two hosts on one network, CLIENT_ADDRESS (`client`) and SERVER_ADDRESS (`server`). */
export function connectedHosts(options: PairOptions = {}): Pair {
  const { seed = 1, host = {}, wrap, family = FAMILY, ...pipe } = options;
  const at = (address: string) => `${inFamily(address, family)}/${family === '6' ? 120 : 24}`;
  const clock = new VirtualClock();
  const [near, far] = createPipe(pipe);
  const cable = new Cable(near);
  const end = (link: Link, which: 'client' | 'server') => wrap?.(link, which, clock) ?? link;
  const client = createHost({ ...host, link: end(cable, 'client'), address: at('10.9.0.1'), clock, seed });
  const server = createHost({
    ...host,
    link: end(far, 'server'),
    address: at('10.9.0.2'),
    clock,
    seed: seed + 0.5,
  });
  return new Pair(clock, client, server, cable);
}

/** A link that can be cut without a word to anybody. */
class Cable implements Link {
  readonly name: string;
  readonly capabilities: LinkCapabilities;
  isCut = false;
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
    this.name = link.name;
    this.capabilities = link.capabilities;
  }

  attach(receiver: LinkReceiver): void {
    this.#link.attach({
      slab: receiver.slab,
      get addresses() {
        return receiver.addresses;
      },
      clock: receiver.clock,
      receive: (batch) => {
        if (!this.isCut) receiver.receive(batch);
      },
      writable: () => receiver.writable(),
      up: () => receiver.up(),
      down: () => receiver.down(),
      closed: (reason) => receiver.closed(reason),
    });
  }

  send(batch: PacketBatch): number {
    return this.isCut ? batch.length : this.#link.send(batch);
  }

  close(): void {
    this.#link.close();
  }
}

/** What a promise was rejected with; an error when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<Error> {
  let result: unknown;
  try {
    result = await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected a rejection, got ${String(result)}`);
}

/** What a call threw; an error when it threw nothing. */
export function thrown(call: () => unknown): Error {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    return error as Error;
  }
  throw new Error(`expected a throw, got ${String(result)}`);
}

/** Bytes that differ along the way: the low bytes of a running number's hash. */
export function pattern(length: number, from = 0): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(from + i, 0x9e37_79b1) >>> 24;
  return bytes;
}

/** Reads until `length` bytes are there, or the stream ends. */
export async function readFully(conn: TCPConn, length: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let have = 0;
  while (have < length) {
    const count = await conn.read(bytes.subarray(have));
    if (count === null) break;
    have += count;
  }
  return bytes.subarray(0, have);
}

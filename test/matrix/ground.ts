/**
 * Where a case of the matrix is played: two ends with BSD sockets, one of them a stack of ours. The other one is a second stack in virtual time, or the
 * kernel in real time; its sockets have the same calls.
 */
import type { TestSocket } from '../../src/packetdrill/target.ts';
import { AF_INET, AF_INET6, SO_LINGER, SOL_SOCKET } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { Stack } from '../../src/stack/stack.ts';
import { IPV4_ANY, IPV6_ANY, IpAddress } from '../../src/wire/address.ts';

/** What the sockets of our end are, and the addresses: mapped ones are IPv4 through sockets of AF_INET6. */
export type Variant = 'IPv4' | 'IPv6' | 'mapped' | 'link-local';
export const VARIANTS: readonly Variant[] = ['IPv4', 'IPv6', 'mapped'];

export const OURS = { 4: '10.9.0.2', 6: 'fd09::2' } as const;
export const PEERS = { 4: '10.9.0.1', 6: 'fd09::1' } as const;
/** In the zone of the first interface after lo, which both ends have. */
export const LINK_LOCAL = { ours: 'fe80::2', peers: 'fe80::1', zone: 2 } as const;
export const ELSEWHERE = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;

export function addressOf(text: string): IpAddress {
  return IpAddress.parse(text) as IpAddress;
}

/** An end: where it is, and its sockets. */
export interface Side {
  readonly address: IpAddress;
  /** Of the sockets that the case opens. */
  readonly domain: number;
  /** What a listener is bound to. */
  readonly any: IpAddress;
  readonly socket: (domain: number) => TestSocket;
}

export interface Time {
  /** ms. */
  now(): number;
  /** Lets something happen: so much time (ms) when that is virtual, otherwise a turn of the event loop. */
  step(ms: number): Promise<void>;
  readonly isVirtual: boolean;
}

export class Ground {
  readonly variant: Variant;
  readonly family: 4 | 6;
  readonly ours: Side;
  readonly peer: Side;
  readonly stack: Stack;
  readonly time: Time;
  /** Breaks the path, or mends it, where that can be done. */
  readonly cut: ((isCut: boolean) => void) | undefined;
  /** A link that shows no congestion marks. */
  readonly hidesMarks: boolean;
  readonly #sockets = new Set<TestSocket>();

  constructor(parts: {
    readonly variant: Variant;
    readonly stack: Stack;
    readonly peerSocket: (domain: number) => TestSocket;
    readonly time: Time;
    readonly cut?: (isCut: boolean) => void;
    readonly hidesMarks?: boolean;
  }) {
    const { variant, stack } = parts;
    this.variant = variant;
    this.family = variant === 'IPv6' || variant === 'link-local' ? 6 : 4;
    this.stack = stack;
    this.time = parts.time;
    this.cut = parts.cut;
    this.hidesMarks = parts.hidesMarks ?? false;
    const ourDomain = variant === 'IPv4' ? AF_INET : AF_INET6;
    const peerDomain = this.family === 6 ? AF_INET6 : AF_INET;
    const ourSocket = (domain: number) => createSocket(stack, domain, 1, 0) as TestSocket;
    const zoned = (address: string) => addressOf(address).withZone(LINK_LOCAL.zone);
    const isLocal = variant === 'link-local';
    const ours = isLocal ? zoned(LINK_LOCAL.ours) : addressOf(OURS[this.family]);
    const peers = isLocal ? zoned(LINK_LOCAL.peers) : addressOf(PEERS[this.family]);
    this.ours = this.#side(ours, ourDomain, ourSocket);
    this.peer = this.#side(peers, peerDomain, parts.peerSocket);
  }

  #side(address: IpAddress, domain: number, open: (domain: number) => TestSocket): Side {
    return {
      address,
      domain,
      // A listener of AF_INET6 takes both families.
      any: domain === AF_INET6 ? IPV6_ANY : IPV4_ANY,
      socket: (asked) => this.keep(open(asked)),
    };
  }

  /** The socket is closed after the case. */
  keep<T extends TestSocket>(socket: T): T {
    this.#sockets.add(socket);
    return socket;
  }

  close(socket: TestSocket): void {
    this.#sockets.delete(socket);
    socket.close();
  }

  /** Waits until `holds` does. @throws Error after `limit` ms */
  async until(what: string, holds: () => boolean, limit = 5000): Promise<void> {
    const began = this.time.now();
    while (!holds()) {
      const waited = this.time.now() - began;
      if (waited >= limit) throw new Error(`${what}: not within ${limit} ms\n${this.#describe()}`);
      await this.time.step(waited < 50 ? 1 : 100);
    }
  }

  async pass(ms: number): Promise<void> {
    const end = this.time.now() + ms;
    while (this.time.now() < end) await this.time.step(end - this.time.now());
  }

  /** After a case: everything is reset, and nothing is left. */
  async sweep(): Promise<void> {
    for (const socket of this.#sockets) {
      socket.setsockopt(SOL_SOCKET, SO_LINGER, { onoff: 1, linger: 0 });
      socket.close();
    }
    this.#sockets.clear();
    await this.until('the end of all sockets', () => this.stack.sockets().length === 0 && this.stack.slab.live === 0);
  }

  #describe(): string {
    const lines = this.stack
      .sockets()
      .map((s) => `${s.state} ${s.local} ${s.remote} recvQ ${s.recvQ} sendQ ${s.sendQ}`);
    const counters = Object.entries({ ...this.stack.counters }).filter(([, count]) => count !== 0);
    return [
      ...lines,
      counters.map(([name, count]) => `${name} ${count}`).join(', '),
      `chunks ${this.stack.slab.live}`,
    ].join('\n');
  }
}

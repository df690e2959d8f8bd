/**
 * DNS servers that do what a test says, on a virtual clock, without a network: what a resolver asks with (`means`), and what was asked.
 *
 *     const servers = new DnsServers(clock);
 *     servers.on('10.9.0.1:53', ({ query }) => [{ answers: [a('web.example', '10.9.0.7')] }]);
 */
import packet, { type Answer, type DecodedPacket, type Packet } from 'dns-packet';
import type { DnsConn, DnsDial } from '../../src/net/dns-exchange.ts';
import { DnsResolver } from '../../src/net/dns-resolver.ts';
import { abortError, errClosed, errDeadlineExceeded, SyscallError } from '../../src/net/errors.ts';
import { HostsTable } from '../../src/net/hosts-file.ts';
import type { IPAddr } from '../../src/net/ip-addr.ts';
import { OpError } from '../../src/net/op-error.ts';
import { DNS_DEFAULTS, type DnsConfig } from '../../src/net/resolv-conf.ts';
import { parseServices } from '../../src/net/services-file.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { nodeDnsCodec } from '../../src/node/dns-codec.ts';
import { ECONNREFUSED } from '../../src/socket/errno.ts';
import type { Timer } from '../../src/time/clock.ts';
import { seededRandom } from '../../src/time/random.ts';
import type { VirtualClock } from '../../src/time/virtual-clock.ts';
import type { IpAddress } from '../../src/wire/address.ts';

export interface Asked {
  readonly server: string;
  readonly network: 'udp' | 'tcp';
  readonly query: DecodedPacket;
  /** `A web.example`. */
  readonly question: string;
}

/** A message, less what a true answer has anyway; or bytes as they are; `after`: ms. */
export type Reply = (Partial<Packet> & { rcode?: number; after?: number }) | { bytes: Uint8Array; after?: number };
export type Behaviour = (asked: Asked) => readonly Reply[];

export const AUTHORITATIVE = packet.AUTHORITATIVE_ANSWER;
export const TRUNCATED = packet.TRUNCATED_RESPONSE;
export const RECURSION_AVAILABLE = packet.RECURSION_AVAILABLE;

export const a = (name: string, data: string): Answer => ({ type: 'A', name, data, ttl: 60 });
export const aaaa = (name: string, data: string): Answer => ({ type: 'AAAA', name, data, ttl: 60 });
export const cname = (name: string, data: string): Answer => ({ type: 'CNAME', name, data, ttl: 60 });

/** The bytes of a true answer, changed as the reply says. */
export function replyBytes(
  { query }: Asked,
  { rcode = 0, after: _, flags, ...rest }: Partial<Packet> & { rcode?: number; after?: number },
): Buffer {
  return packet.encode({
    type: 'response',
    id: query.id ?? 0,
    flags: (flags ?? packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE) | rcode,
    questions: query.questions ?? [],
    ...rest,
  });
}

/** Answers by `type name`, as `A web.example`; no such host for other names. */
export function zone(records: Readonly<Record<string, readonly Answer[]>>): Behaviour {
  const names = new Set(Object.keys(records).map((key) => key.split(' ')[1]));
  return ({ question }) => {
    const answers = records[question];
    if (answers !== undefined) return [{ answers: [...answers] }];
    return [names.has(question.split(' ')[1] as string) ? {} : { rcode: 3 }];
  };
}

export interface ResolverOptions {
  /** The text of /etc/hosts. */
  readonly hosts?: string;
  readonly sourceOf?: (to: IPAddr) => IpAddress | undefined;
}

export class DnsServers {
  readonly asked: Asked[] = [];
  readonly #clock: VirtualClock;
  readonly #behaviours = new Map<string, Behaviour>();
  /** Connections that are not closed. */
  open = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  on(server: string, behaviour: Behaviour): this {
    this.#behaviours.set(server, behaviour);
    return this;
  }

  /** A resolver that asks them; 10.9.0.1:53, when nothing else is said. */
  resolver(
    config: Partial<DnsConfig> = {},
    { hosts = '', sourceOf = () => undefined }: ResolverOptions = {},
  ): DnsResolver {
    return new DnsResolver({
      config: () => ({ ...DNS_DEFAULTS, servers: ['10.9.0.1:53'], ...config }),
      hosts: () => HostsTable.parse(hosts),
      services: () => parseServices('myservice 7777/tcp mine'),
      means: { clock: this.#clock, random: seededRandom(1), codec: nodeDnsCodec, dial: this.dial },
      sourceOf,
    });
  }

  /** The questions so far, as `udp 10.9.0.1:53 A web.example`. */
  get log(): string[] {
    return this.asked.map(({ network, server, question }) => `${network} ${server} ${question}`);
  }

  readonly dial: DnsDial = async (network, server, { signal }) => {
    if (signal?.aborted) throw new OpError('dial', network, undefined, undefined, abortError(signal));
    const behaviour = this.#behaviours.get(server);
    const at = server.lastIndexOf(':');
    const remote = new TCPAddr(
      server
        .slice(0, at)
        .replace(/^\[|\]$/g, '')
        .replace(/%.*/, ''),
      Number(server.slice(at + 1)),
    );
    if (behaviour === undefined && network === 'tcp')
      throw new OpError('dial', network, undefined, remote, new SyscallError('connect', ECONNREFUSED));
    this.open++;
    return new ScriptedConn(
      this.#clock,
      network,
      remote,
      () => this.open--,
      (bytes) => {
        if (behaviour === undefined) return undefined;
        const query = packet.decode(Buffer.from(network === 'tcp' ? bytes.subarray(2) : bytes));
        const [question] = query.questions ?? [];
        const asked = { server, network, query, question: `${question?.type} ${question?.name}` };
        this.asked.push(asked);
        return behaviour(asked).map((reply) => {
          const message = 'bytes' in reply ? reply.bytes : replyBytes(asked, reply as Partial<Packet>);
          const framed = network === 'tcp' && !('bytes' in reply);
          const head = framed ? [message.length >>> 8, message.length & 0xff] : [];
          return { bytes: Uint8Array.of(...head, ...message), after: reply.after ?? 1 };
        });
      },
    );
  };
}

class ScriptedConn implements DnsConn {
  readonly #clock: VirtualClock;
  readonly #network: 'udp' | 'tcp';
  readonly #remote: TCPAddr;
  readonly #closed: () => void;
  readonly #receive: (bytes: Uint8Array) => readonly { bytes: Uint8Array; after: number }[] | undefined;
  readonly #timer: Timer;
  readonly #arrived: (Uint8Array | OpError)[] = [];
  #wake: (() => void) | undefined;
  #isClosed = false;

  constructor(
    clock: VirtualClock,
    network: 'udp' | 'tcp',
    remote: TCPAddr,
    closed: () => void,
    receive: (bytes: Uint8Array) => readonly { bytes: Uint8Array; after: number }[] | undefined,
  ) {
    this.#clock = clock;
    this.#network = network;
    this.#remote = remote;
    this.#closed = closed;
    this.#receive = receive;
    this.#timer = clock.timer(() => this.#arrive(this.#error(errDeadlineExceeded)));
  }

  async write(bytes: Uint8Array): Promise<number> {
    const replies = this.#receive(bytes);
    if (replies === undefined) this.#arrive(this.#error(new SyscallError('read', ECONNREFUSED)));
    for (const { bytes: reply, after } of replies ?? []) {
      this.#clock.timer(() => this.#arrive(reply)).set(this.#clock.now() + after);
    }
    return bytes.length;
  }

  async read(into: Uint8Array, { signal }: { signal?: AbortSignal | undefined } = {}): Promise<number | null> {
    const aborted = () => this.#arrive(this.#error(abortError(signal as AbortSignal)));
    signal?.addEventListener('abort', aborted);
    while (this.#arrived.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    signal?.removeEventListener('abort', aborted);
    const next = this.#arrived[0] as Uint8Array | OpError;
    if (next instanceof OpError) throw next;
    const part = next.subarray(0, into.length);
    into.set(part);
    // A datagram that does not fit is cut; a stream goes on.
    if (this.#network === 'udp' || part.length === next.length) this.#arrived.shift();
    else this.#arrived[0] = next.subarray(part.length);
    // No bytes stand for the end of a stream.
    return this.#network === 'tcp' && next.length === 0 ? null : part.length;
  }

  setDeadline(deadline: number | null): void {
    if (deadline !== null) this.#timer.set(this.#clock.now() + deadline - this.#clock.wallNow());
  }

  close(): void {
    if (this.#isClosed) throw this.#error(errClosed);
    this.#isClosed = true;
    this.#timer.clear();
    this.#closed();
  }

  #arrive(what: Uint8Array | OpError): void {
    this.#arrived.push(what);
    this.#wake?.();
  }

  #error(reason: Error): OpError {
    return new OpError('read', this.#network, new TCPAddr('10.9.0.2', 4000), this.#remote, reason);
  }
}

/** What servers, and those who pass for them, may answer to a resolver: every lookup ends, with addresses or an error, and no connection is left open. */
import packet, { type Answer, type Question } from 'dns-packet';
import type { DnsConn } from '../../src/net/dns-exchange.ts';
import { DnsResolver } from '../../src/net/dns-resolver.ts';
import { AddrError, DNSError, errDeadlineExceeded } from '../../src/net/errors.ts';
import { HostsTable } from '../../src/net/hosts-file.ts';
import { DNS_DEFAULTS } from '../../src/net/resolv-conf.ts';
import { parseServices } from '../../src/net/services-file.ts';
import { nodeDnsCodec } from '../../src/node/dns-codec.ts';
import { seededRandom } from '../../src/time/random.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { Draw } from './draw.ts';
import { joined, noise, spoiled } from './fuzz-bytes.ts';

const NAMES = ['web.example', 'a.web.example', 'other.example', '', 'x'.repeat(63), `${'l.'.repeat(100)}example`];
/** Messages that a connection gives before it is silent. */
const MOST = 4;

/** @throws Error that names the seed. @returns how many messages were read */
export async function playDns(seed: string, lookups: number): Promise<number> {
  const world = new DnsWorld(seed);
  try {
    for (let i = 0; i < lookups; i++) await world.lookup();
    if (world.open !== 0) throw new Error(`${world.open} connections are open`);
  } catch (error) {
    throw new Error(`DNS fuzz seed ${seed}: ${(error as Error).message}\nlast message: ${world.last.toString('hex')}`, {
      cause: error,
    });
  }
  return world.messages;
}

class DnsWorld {
  messages = 0;
  open = 0;
  last: Buffer = Buffer.alloc(0);
  readonly #draw: Draw;
  readonly #resolver: DnsResolver;

  constructor(seed: string) {
    this.#draw = new Draw(`dns ${seed}`);
    const clock = new VirtualClock();
    const means = {
      clock,
      random: seededRandom(`dns ${seed}`),
      codec: nodeDnsCodec,
      dial: async (network: 'udp' | 'tcp') => this.#connection(network),
    };
    const config = { ...DNS_DEFAULTS, servers: ['10.9.0.1:53', '10.9.0.3:53'], search: ['web.example.'] };
    this.#resolver = new DnsResolver({
      config: () => config,
      hosts: () => HostsTable.parse(''),
      services: () => parseServices(''),
      means,
      sourceOf: () => undefined,
    });
  }

  async lookup(): Promise<void> {
    const name = this.#draw.pick(['web.example', 'web', 'other.example.', '10.9.0.7']);
    const resolver = this.#resolver;
    const calls = [
      () => resolver.lookupHost(name),
      () => resolver.lookupCNAME(name),
      () => resolver.lookupMX(name),
      () => resolver.lookupSRV('sip', 'tcp', name),
      () => resolver.lookupTXT(name),
      () => resolver.lookupNS(name),
      () => resolver.lookupAddr('10.9.0.7'),
    ];
    try {
      await this.#draw.pick<() => Promise<unknown>>(calls)();
    } catch (error) {
      if (!(error instanceof DNSError) && !(error instanceof AddrError)) throw error;
    }
  }

  #connection(network: 'udp' | 'tcp'): DnsConn {
    this.open++;
    let query = Buffer.alloc(0);
    let stream: Uint8Array = new Uint8Array();
    let left = MOST;
    return {
      write: async (bytes) => {
        query = Buffer.from(network === 'udp' ? bytes : bytes.subarray(2));
        return bytes.length;
      },
      read: async (into) => {
        if (network === 'tcp' && stream.length === 0 && left === MOST) {
          const message = this.#message(query);
          const length = this.#draw.chance(0.95) ? message.length : this.#draw.integer(0, 65_535);
          stream = joined([length >> 8, length & 255], message);
        }
        if (network === 'udp') stream = this.#message(query);
        if (left-- === 0 && network === 'udp') throw errDeadlineExceeded;
        if (stream.length === 0) return network === 'udp' ? 0 : null;
        const count = Math.min(into.length, stream.length);
        into.set(stream.subarray(0, count));
        stream = stream.subarray(count);
        return count;
      },
      setDeadline: () => {},
      close: () => {
        this.open--;
      },
    };
  }

  /** An answer to the query, or nearly. */
  #message(query: Buffer): Uint8Array {
    this.messages++;
    const draw = this.#draw;
    const asked = packet.decode(query);
    const questions = draw.chance(0.9) ? (asked.questions ?? []) : [this.#question(), this.#question()];
    const flags = draw.chance(0.1)
      ? draw.integer(0, 0x7fff)
      : packet.RECURSION_AVAILABLE | draw.pick([0, 0, 0, 2, 3, 5]);
    const whole = packet.encode({
      type: 'response',
      id: draw.chance(0.95) ? (asked.id ?? 0) : draw.integer(0, 65_535),
      flags,
      questions,
      answers: Array.from({ length: draw.integer(0, 4) }, () => this.#answer(questions[0]?.name ?? '')),
      authorities: draw.chance(0.2) ? [this.#answer('')] : [],
      additionals: draw.chance(0.2) ? [this.#answer('')] : [],
    });
    let bytes: Uint8Array = whole;
    if (draw.chance(0.6)) {
      // Behind the header and the question, so that it passes for the answer.
      const front = Math.min(draw.pick([0, query.length, 12, 4]), whole.length);
      bytes = joined(whole.subarray(0, front), spoiled(draw, whole.subarray(front)));
    }
    // RFC 1035 4.1.4: pointers to anywhere.
    if (draw.chance(0.2) && bytes.length > 14) {
      const at = draw.integer(12, bytes.length - 2);
      bytes[at] = 0xc0 | draw.integer(0, 3);
      bytes[at + 1] = draw.chance(0.5) ? at : draw.integer(0, 255);
    }
    if (draw.chance(0.02)) bytes = noise(draw, draw.integer(0, 100));
    this.last = Buffer.from(bytes);
    return bytes;
  }

  #question(): Question {
    return { type: this.#draw.pick(['A', 'AAAA', 'MX']), name: this.#draw.pick(NAMES) };
  }

  #answer(asked: string): Answer {
    const draw = this.#draw;
    const name = draw.chance(0.7) ? asked : draw.pick(NAMES);
    const target = draw.pick(NAMES);
    return draw.pick<Answer>([
      { type: 'A', name, data: '10.9.0.7' },
      { type: 'AAAA', name, data: 'fd00::7' },
      { type: 'CNAME', name, data: target },
      { type: 'NS', name, data: target },
      { type: 'PTR', name, data: target },
      { type: 'MX', name, data: { preference: 10, exchange: target } },
      { type: 'SRV', name, data: { priority: 1, weight: draw.integer(0, 65_535), port: 80, target } },
      { type: 'TXT', name, data: ['text', 'x'.repeat(255)] },
    ]);
  }
}

/** What must be true of every packet that a host of a scenario sends, whatever its state. */
import type { PacketWatcher } from '../../src/link/captured.ts';
import type { Scenario } from './scenario.ts';

const FIN = 1;
const SYN = 2;
const RST = 4;
const HEADER = 20;
/** Of TCP-MD5 and TCP-AO. */
const SIGNATURES = [19, 29];

/** Keeps the first thing that is wrong: a watcher must not throw. */
export class WireRules {
  /** Undefined: nothing. */
  wrong: string | undefined;
  readonly #signed: boolean;
  /** Nobody may send ECN-capable packets at all; or only those with data. */
  readonly #ecn: 'none' | 'data' | 'any';

  constructor({ sysctl, extensions, pairs }: Scenario) {
    this.#signed = extensions.keys !== undefined;
    const sides = [sysctl.client, sysctl.server];
    const asked = sides.some(({ tcp_ecn = 2 }) => [1, 3, 4].includes(tcp_ecn));
    const routes = Object.values(extensions.metrics).some((metrics) => metrics?.ecn === true);
    // DCTCP marks everything that it sends, Accurate ECN nearly so (RFC 9768 3.2.2.5.1... on acknowledgments).
    const accurate = sides.every(({ tcp_ecn = 2 }) => tcp_ecn >= 3);
    const names = JSON.stringify([sysctl, extensions.metrics, pairs]);
    if (names.includes('dctcp') || names.includes('bbr') || accurate) this.#ecn = 'any';
    else this.#ecn = asked || routes ? 'data' : 'none';
  }

  /** For a capture around a host's link. */
  watch(name: string): PacketWatcher {
    return (bytes, direction, at, segmentSize) => {
      if (direction !== 'out' || bytes[isIpv6(bytes) ? 6 : 9] !== 6) return;
      const problem = this.#problemOf(bytes, segmentSize);
      if (problem !== undefined) this.wrong ??= `${name} at t=${at} ms: ${problem}`;
    };
  }

  #problemOf(bytes: Uint8Array, segmentSize: number): string | undefined {
    const ipHeader = isIpv6(bytes) ? 40 : ((bytes[0] as number) & 15) * 4;
    const header = ((bytes[ipHeader + 12] as number) >> 4) * 4;
    const flags = bytes[ipHeader + 13] as number;
    const text = bytes.length - ipHeader - header;
    const kinds = optionKinds(bytes.subarray(ipHeader + HEADER, ipHeader + header));
    if (kinds === undefined) return 'options that do not end where they should';
    if (header % 4 !== 0 || header > 60) return `a header of ${header} bytes`;
    if ((flags & SYN) === 0 && kinds.includes(2)) return 'an MSS option without a SYN';
    if ((flags & SYN) !== 0 && (flags & (FIN | RST)) !== 0) return 'a SYN with FIN or RST';
    if (this.#signed) {
      // RFC 2385 2.0, RFC 5925 7.4: every segment; each of a super-segment would need its own.
      if (segmentSize > 0) return 'a signed super-segment';
      if (!kinds.some((kind) => SIGNATURES.includes(kind))) return 'a segment without signature';
    }
    const ect = ((bytes[1] as number) >> (isIpv6(bytes) ? 4 : 0)) & 3;
    if (ect === 3) return 'CE from a host';
    if (ect !== 0 && this.#ecn === 'none') return 'ECT, though nobody asked for ECN';
    // RFC 3168 6.1.1, 6.1.4, 6.1.5
    if (ect !== 0 && this.#ecn === 'data' && (text === 0 || (flags & (SYN | RST)) !== 0)) return 'ECT without data';
    return undefined;
  }
}

function isIpv6(bytes: Uint8Array): boolean {
  return (bytes[0] as number) >> 4 === 6;
}

/** @returns undefined when they are malformed */
function optionKinds(options: Uint8Array): number[] | undefined {
  const kinds: number[] = [];
  for (let at = 0; at < options.length; ) {
    const kind = options[at] as number;
    if (kind === 0) return kinds;
    const length = kind === 1 ? 1 : (options[at + 1] ?? 0);
    if ((kind !== 1 && length < 2) || at + length > options.length) return undefined;
    kinds.push(kind);
    at += length;
  }
  return kinds;
}

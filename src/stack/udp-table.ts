/** Which socket a datagram is for, and who may hold which port: Linux's scores, and its rules for sharing. RFC 768, RFC 1122 4.1.3.5. */
import type { TcpConfig } from '../tcp/config.ts';
import type { Random } from '../time/random.ts';
import type { UdpEndpoint } from '../udp/endpoint.ts';
import type { IpAddress } from '../wire/address.ts';
import { halfSipHashWords } from '../wire/siphash.ts';
import { type Claim, overlap, type PortRange } from './ports.ts';
import { EndpointIndex, KINDS } from './udp-index.ts';

/** Both ends of a datagram, as this host sees them: `d` is its own address, `s` the peer's, in words of IpAddress. */
export interface DatagramEnds {
  readonly family: 4 | 6;
  readonly s0: number;
  readonly s1: number;
  readonly s2: number;
  readonly s3: number;
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly d3: number;
}

/** In place of the index of an interface. */
export const ANY_DEVICE = -1;

/** So many endpoints of a port are looked at one after the other. */
const FEW = 16;

const NONE: readonly UdpEndpoint[] = [];
const words = new Int32Array(9);

export class UdpTable {
  readonly #config: TcpConfig;
  readonly #random: Random;
  readonly #ports = new Map<number, UdpEndpoint[]>();
  /** Of ports that many hold, made when a datagram asks. */
  readonly #indexes = new Map<number, EndpointIndex>();
  readonly #key0: number;
  readonly #key1: number;

  constructor(config: TcpConfig, random: Random) {
    this.#config = config;
    this.#random = random;
    this.#key0 = random.uint32() | 0;
    this.#key1 = random.uint32() | 0;
  }

  /** Ports that somebody holds. */
  get size(): number {
    return this.#ports.size;
  }

  /** The last to come is the first to be asked: of equals it gets the datagrams (Linux). */
  add(endpoint: UdpEndpoint): void {
    this.#indexes.delete(endpoint.localPort);
    const list = this.#ports.get(endpoint.localPort);
    if (list === undefined) this.#ports.set(endpoint.localPort, [endpoint]);
    else list.unshift(endpoint);
  }

  remove(endpoint: UdpEndpoint): void {
    this.#indexes.delete(endpoint.localPort);
    const left = this.#ports.get(endpoint.localPort)?.filter((other) => other !== endpoint) ?? [];
    if (left.length === 0) this.#ports.delete(endpoint.localPort);
    else this.#ports.set(endpoint.localPort, left);
  }

  /** The endpoint, which stays at its port, has got or lost a peer or an address. */
  changed(endpoint: UdpEndpoint): void {
    this.#indexes.delete(endpoint.localPort);
  }

  *endpoints(): Generator<UdpEndpoint> {
    for (const list of this.#ports.values()) yield* list;
  }

  /** Those that hold the port. */
  at(port: number): readonly UdpEndpoint[] {
    return this.#ports.get(port) ?? NONE;
  }

  /**
   * The one that a datagram is for: connected to its sender before bound to its very address before bound to all.
   * @param device index of the interface that it came over; ANY_DEVICE: that is not known
   */
  find(ends: DatagramEnds, localPort: number, remotePort: number, device: number): UdpEndpoint | undefined {
    const list = this.#ports.get(localPort);
    if (list === undefined) return undefined;
    if (list.length <= FEW) return this.#best(list, ends, localPort, remotePort, device);
    let index = this.#indexes.get(localPort);
    if (index === undefined) {
      index = new EndpointIndex(list);
      this.#indexes.set(localPort, index);
    }
    for (let kind = 0; kind < KINDS; kind++) {
      const some = index.find(kind, ends, remotePort);
      const best = some === undefined ? undefined : this.#best(some, ends, localPort, remotePort, device);
      if (best !== undefined) return best;
    }
    return undefined;
  }

  #best(
    list: readonly UdpEndpoint[],
    ends: DatagramEnds,
    localPort: number,
    remotePort: number,
    device: number,
  ): UdpEndpoint | undefined {
    let best: UdpEndpoint | undefined;
    let score = 0;
    let shared = 0;
    for (let i = 0; i < list.length; i++) {
      const endpoint = list[i] as UdpEndpoint;
      const own = scoreOf(endpoint, ends, remotePort, device);
      if (own === 0 || own < score) continue;
      if (own > score) {
        best = endpoint;
        score = own;
        shared = 0;
      }
      if (endpoint.reusePort && endpoint.remote === undefined) shared++;
    }
    return shared < 2 ? best : this.#choose(list, ends, localPort, remotePort, device, score, shared);
  }

  /** SO_REUSEPORT: the hash of both ends chooses, so that what belongs together meets the same. */
  #choose(
    list: readonly UdpEndpoint[],
    ends: DatagramEnds,
    localPort: number,
    remotePort: number,
    device: number,
    score: number,
    count: number,
  ): UdpEndpoint | undefined {
    let skip = (this.#hash(ends, localPort, remotePort) >>> 0) % count;
    for (const endpoint of list) {
      if (!endpoint.reusePort || scoreOf(endpoint, ends, remotePort, device) !== score) continue;
      if (skip-- === 0) return endpoint;
    }
    return undefined;
  }

  /** RFC 6437 3: the label of a flow, which is that of its addresses and ports: 20 bits that nobody can guess, and not 0. */
  flowLabel(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): number {
    const { w0: d0, w1: d1, w2: d2, w3: d3 } = local;
    const { w0: s0, w1: s1, w2: s2, w3: s3 } = remote;
    const ends: DatagramEnds = { family: 6, s0, s1, s2, s3, d0, d1, d2, d3 };
    return this.#hash(ends, localPort, remotePort) & 0xfffff || 1;
  }

  #hash({ s0, s1, s2, s3, d0, d1, d2, d3 }: DatagramEnds, localPort: number, remotePort: number): number {
    words[0] = s0;
    words[1] = s1;
    words[2] = s2;
    words[3] = s3;
    words[4] = d0;
    words[5] = d1;
    words[6] = d2;
    words[7] = d3;
    words[8] = (localPort << 16) | remotePort;
    return halfSipHashWords(this.#key0, this.#key1, words, 9);
  }

  /** Whether another stands in the way of binding `endpoint` to that address and port. */
  conflicts(endpoint: UdpEndpoint, address: IpAddress, port: number): boolean {
    const claim = claimOf(endpoint, address);
    return this.at(port).some((other) => {
      if (other === endpoint || (endpoint.reuseAddress && other.reuseAddress)) return false;
      if (endpoint.reusePort && other.reusePort) return false;
      return overlap(claim, claimOf(other, other.local));
    });
  }

  /** A free port for `endpoint`, from a random start through the range (RFC 8085 5.1, RFC 6056 3.3.1); 0: none is left. */
  ephemeral(endpoint: UdpEndpoint, address: IpAddress, range?: PortRange): number {
    const [first, last] = this.#config.ip_local_port_range;
    const low = Math.max(first, range?.localPortLow ?? 0);
    const high = Math.min(last, range?.localPortHigh || last);
    if (low > high) return 0;
    const count = high - low + 1;
    const start = Math.floor(this.#random.float() * count);
    for (let i = 0; i < count; i++) {
      const port = low + ((start + i) % count);
      if (!this.conflicts(endpoint, address, port)) return port;
    }
    return 0;
  }
}

function claimOf({ v6Only, device, reuseAddress, reusePort }: UdpEndpoint, address: IpAddress): Claim {
  return { address, v6Only, device, reuseAddress, reusePort };
}

/** How well a socket fits; 0: not at all. Linux: the very address is best, then the very peer, a device of its own, and the packet's family. */
export function scoreOf(endpoint: UdpEndpoint, ends: DatagramEnds, remotePort: number, device: number): number {
  const { local, remote } = endpoint;
  let score = endpoint.family === 4 ? 1 : 0;
  if (endpoint.device !== 0) {
    if (endpoint.device !== device && device !== ANY_DEVICE) return 0;
    score += 2;
  }
  if (remote !== undefined) {
    // Linux: connected to port 0 is connected to all of them.
    if (
      (endpoint.remotePort !== 0 && endpoint.remotePort !== remotePort) ||
      !isAt(remote, ends.s0, ends.s1, ends.s2, ends.s3)
    )
      return 0;
    score += 4;
  }
  if (!local.isUnspecified) return isAt(local, ends.d0, ends.d1, ends.d2, ends.d3) ? score + 16 : 0;
  if (local.family === ends.family) return score + 8;
  return local.family === 6 && !endpoint.v6Only ? score + 8 : 0;
}

function isAt(address: IpAddress, w0: number, w1: number, w2: number, w3: number): boolean {
  return address.w3 === w3 && address.w2 === w2 && address.w1 === w1 && address.w0 === w0;
}

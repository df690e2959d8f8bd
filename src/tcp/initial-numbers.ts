/** Initial sequence numbers and timestamp offsets: a clock and a keyed hash of the connection's addresses. */
import type { Random } from '../time/random.ts';
import type { IpAddress } from '../wire/address.ts';
import { sipHash24 } from '../wire/siphash.ts';

export class InitialNumbers {
  readonly #isnKey: Int32Array;
  readonly #timestampKey: Int32Array;
  readonly #words = new Int32Array(10);
  readonly #out = new Int32Array(2);

  constructor(random: Random) {
    this.#isnKey = Int32Array.from({ length: 4 }, () => random.uint32() | 0);
    this.#timestampKey = Int32Array.from({ length: 4 }, () => random.uint32() | 0);
  }

  /** M of the last number. */
  #m = -1;

  /**
   * RFC 6528 3, RFC 9293 3.4.1 [MUST-8]: ISN = M + F(localip, localport, remoteip, remoteport, secretkey), with M a 4-microsecond clock;
   * [SHLD-1], [MUST-9]: F is SipHash with a key that nobody outside knows.
   */
  isn(local: IpAddress, localPort: number, remote: IpAddress, remotePort: number, now: number): number {
    this.#hash(this.#isnKey, local, localPort, remote, remotePort);
    // Never the same twice, and never less, though many connections begin at one instant (always, on a virtual clock).
    this.#m = Math.max(Math.floor(now * 250), this.#m + 1);
    return ((this.#out[0] as number) + this.#m) | 0;
  }

  /** RFC 7323 7.1: a random offset per connection, so that timestamps neither tell the uptime nor link connections. */
  timestampOffset(local: IpAddress, remote: IpAddress): number {
    this.#hash(this.#timestampKey, local, 0, remote, 0);
    return this.#out[0] as number;
  }

  #hash(key: Int32Array, local: IpAddress, localPort: number, remote: IpAddress, remotePort: number): void {
    const words = this.#words;
    words[0] = local.w0;
    words[1] = local.w1;
    words[2] = local.w2;
    words[3] = local.w3;
    words[4] = remote.w0;
    words[5] = remote.w1;
    words[6] = remote.w2;
    words[7] = remote.w3;
    words[8] = (localPort << 16) | remotePort;
    sipHash24(key, words, 9, this.#out);
  }
}

/** A host with sockets of UDP on a wire that keeps what it sends: for tests that look at datagrams as they are there. */
import { AF_INET, AF_INET6, SOCK_DGRAM } from '../../src/socket/constants.ts';
import { createSocket } from '../../src/socket/create-socket.ts';
import type { DatagramMessage } from '../../src/socket/datagram-message.ts';
import type { DatagramSocket } from '../../src/socket/datagram-socket.ts';
import type { SocketAddress } from '../../src/socket/socket-address.ts';
import type { Stack } from '../../src/stack/stack.ts';
import type { VirtualClock } from '../../src/time/virtual-clock.ts';
import type { IpAddress } from '../../src/wire/address.ts';
import { address, bench, prefix, TapLink } from '../stack/tap.ts';
import { buildUdp, type DatagramSpec, readUdp } from './wire-datagram.ts';

/** Of the host, and of its peer. */
export const HOST: Record<4 | 6, IpAddress> = { 4: address('10.0.0.1'), 6: address('2001:db8::1') };
export const PEER: Record<4 | 6, IpAddress> = { 4: address('10.0.0.2'), 6: address('2001:db8::2') };

export class UdpWire {
  readonly stack: Stack;
  readonly clock: VirtualClock;
  readonly link: TapLink;
  readonly #sockets: DatagramSocket[] = [];

  constructor(mtu = 1500, sysctl = {}) {
    const { stack, clock } = bench({ sysctl });
    this.stack = stack;
    this.clock = clock;
    this.link = new TapLink('tap', mtu);
    stack.addInterface(this.link, { addresses: [prefix('10.0.0.1/24'), prefix('2001:db8::1/64')] });
  }

  /** A socket of a family, bound to a port when there is one, to the family's any-address unless something else is said. */
  socket(family: 4 | 6, port?: number, at?: IpAddress): DatagramSocket {
    const domain = family === 4 ? AF_INET : AF_INET6;
    const socket = createSocket(this.stack, domain, SOCK_DGRAM, 0) as DatagramSocket;
    this.#sockets.push(socket);
    const result = port === undefined ? 0 : socket.bind({ address: at ?? socket.any, port });
    if (result !== 0) throw new Error(`bind: ${result}`);
    return socket;
  }

  /** A datagram comes, from the peer to the host's port 53 unless something else is said. */
  inject(spec: Partial<DatagramSpec> & { family?: 4 | 6 }, change?: (view: DataView) => void): void {
    const { family = 4, ...rest } = spec;
    const bytes = buildUdp({ source: PEER[family], destination: HOST[family], ...rest });
    change?.(new DataView(bytes.buffer));
    this.link.deliver(bytes);
  }

  /** What has been sent since, as it is on the wire. */
  async sent(): Promise<Uint8Array[]> {
    await this.clock.advance(0);
    return this.link.drain();
  }

  /** The one datagram that has been sent since. */
  async datagram() {
    const all = await this.sent();
    if (all.length !== 1) throw new Error(`${all.length} packets were sent, not one`);
    return readUdp(all[0] as Uint8Array);
  }

  /** The next datagram of a socket; undefined: there is none. */
  received(socket: DatagramSocket): (DatagramMessage & { data: Uint8Array }) | undefined {
    const into = new Uint8Array(65_535);
    const got = socket.recvfrom(into);
    return typeof got === 'number' ? undefined : { ...got, data: into.slice(0, got.length) };
  }

  /** Ends all. @throws Error when memory is left */
  end(): void {
    for (const socket of this.#sockets) socket.close();
    this.stack.close();
    const { slab, udp } = this.stack;
    if (slab.live + udp.pool.live + udp.table.size !== 0)
      throw new Error(`left: ${slab.live} chunks, ${udp.pool.live} rings, ${udp.table.size} ports`);
  }
}

export function to(family: 4 | 6, port = 9000): SocketAddress {
  return { address: PEER[family], port };
}

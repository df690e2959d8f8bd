/** Two hosts on a pipe, of both families, on a virtual clock; and a router that is not there, but says that packets of the near host were too large. */
import { createHost, type Host } from '../../src/host.ts';
import type { Link, LinkReceiver } from '../../src/link/link.ts';
import { Packet } from '../../src/link/packet.ts';
import { createPipe } from '../../src/link/pipe.ts';
import type { DialOptions } from '../../src/net/dial.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import type { TCPConn } from '../../src/net/tcp-conn.ts';
import type { UDPConn } from '../../src/net/udp-conn.ts';
import { VirtualClock } from '../../src/time/virtual-clock.ts';
import { checksum, sum } from '../../src/wire/checksum.ts';
import { address, buildDatagram, pseudoSum, readDatagram, type SeenDatagram } from './datagram.ts';

const NEAR = { 4: '10.0.0.1', 6: 'fd00::1' } as const;
const FAR = { 4: '10.0.0.2', 6: 'fd00::2' } as const;
const ROUTER = { 4: '10.0.0.9', 6: 'fd00::9' } as const;

export class Told {
  readonly clock = new VirtualClock();
  readonly near: Host;
  readonly far: Host;
  readonly family: 4 | 6;
  readonly #sent: Uint8Array[] = [];
  #receiver: LinkReceiver | undefined;

  constructor(family: 4 | 6, sysctl?: HostOptions['sysctl']) {
    this.family = family;
    const [a, b] = createPipe({ latency: 5, offload: false });
    const { clock } = this;
    this.near = createHost({
      link: this.#watched(a),
      address: [`${NEAR[4]}/24`, `${NEAR[6]}/64`],
      clock,
      seed: 1,
      sysctl,
    });
    this.far = createHost({ link: b, address: [`${FAR[4]}/24`, `${FAR[6]}/64`], clock, seed: 2, sysctl });
  }

  run<T>(until: Promise<T>): Promise<T> {
    return this.clock.run({ until });
  }

  async connect(options?: DialOptions): Promise<{ dialled: TCPConn; accepted: TCPConn }> {
    const listener = await this.far.listen('tcp', this.#far(0));
    const dialled = this.near.dial('tcp', listener.addr().toString(), options);
    const [one, other] = await this.run(Promise.all([dialled, listener.accept()]));
    listener.close();
    this.sent();
    return { dialled: one, accepted: other };
  }

  /** A socket that sends to a port of the far host's, and the one there. */
  async datagrams(options?: DialOptions): Promise<{ near: UDPConn; far: UDPConn }> {
    const far = await this.far.listenPacket('udp', this.#far(0));
    const near = (await this.run(this.near.dial('udp', far.localAddr().toString(), options))) as unknown as UDPConn;
    return { near, far };
  }

  /** What the near host has sent since the last call. */
  sent(): SeenDatagram[] {
    return this.#sent.splice(0).map((bytes) => readDatagram(bytes));
  }

  /** The largest of it. */
  largest(): number {
    return Math.max(0, ...this.sent().map(({ size }) => size));
  }

  /** The last packet that was sent, to be quoted. */
  last(): Uint8Array {
    const last = this.#sent.at(-1);
    if (last === undefined) throw new Error('nothing was sent');
    return last;
  }

  /** A router says that a packet was too large; `shift` moves the sequence number that it quotes. */
  tooBig(quoted: Uint8Array, mtu: number, shift = 0): void {
    const four = this.family === 4;
    const about = quoted.slice(0, 1200);
    const view = new DataView(about.buffer);
    const seq = (four ? 20 : 40) + 4;
    view.setInt32(seq, (view.getInt32(seq) + shift) | 0);
    const payload = new Uint8Array(8 + about.length);
    const message = new DataView(payload.buffer);
    payload.set(about, 8);
    message.setUint16(0, four ? 0x0304 : 0x0200);
    message.setUint32(4, mtu);
    const [from, to] = [ROUTER[this.family], NEAR[this.family]];
    const pseudo = four ? 0 : pseudoSum(address(from), address(to), 58) + payload.length;
    message.setUint16(2, checksum(pseudo + sum(message, 0, payload.length)));
    this.#deliver(buildDatagram({ from, to, protocol: four ? 1 : 58, payload }));
  }

  async close(): Promise<void> {
    await Promise.all([this.near.close({ timeout: 0 }), this.far.close({ timeout: 0 })]);
  }

  #far(port: number): string {
    return this.family === 4 ? `${FAR[4]}:${port}` : `[${FAR[6]}]:${port}`;
  }

  #deliver(bytes: Uint8Array): void {
    const receiver = this.#receiver as LinkReceiver;
    const packet = new Packet(receiver.slab.take(), 0);
    packet.chunk.bytes.set(bytes);
    packet.length = bytes.length;
    receiver.receive({ packets: [packet], length: 1 });
    packet.chunk.release();
  }

  #watched(link: Link): Link {
    const [attach, send] = [link.attach.bind(link), link.send.bind(link)];
    link.attach = (receiver) => {
      this.#receiver = receiver;
      attach(receiver);
    };
    link.send = (batch) => {
      for (const packet of batch.packets.slice(0, batch.length)) {
        const bytes = new Uint8Array(packet.totalLength());
        packet.copyTo(bytes, 0);
        this.#sent.push(bytes);
      }
      return send(batch);
    };
    return link;
  }
}

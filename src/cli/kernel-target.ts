/**
 * The real kernel as what a script is played against: packets over a TUN device in a network namespace of its own, its sockets, real
 * time. Everything is synchronous, on the main thread, which is the one that lives in the namespace. As root.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { openDevice } from '../link/tun-device.ts';
import { enterNetworkNamespace, setSysctl } from '../link/tun-namespace.ts';
import { Netlink } from '../link/tun-netlink.ts';
import { tunSystem } from '../link/tun-system.ts';
import type { ScriptSettings } from '../packetdrill/settings.ts';
import type { PassedPacket, Target, TestSocket } from '../packetdrill/target.ts';
import { IPV4_ANY, IPV6_ANY, type IpAddress } from '../wire/address.ts';
import {
  VNET_GSO_NONE,
  VNET_GSO_TCPV4,
  VNET_GSO_TCPV6,
  VNET_HEADER_LENGTH,
  writeVirtioNet,
} from '../wire/virtio-net.ts';
import { kernelSocket, waitReadable } from './kernel-socket.ts';

const ROOM = 65_600;
const DEVICE = 'tun0';
/** ms. */
const ADDRESS_WAIT = 5000;

export class KernelTarget implements Target {
  readonly sent: PassedPacket[] = [];
  readonly passed: PassedPacket[] = [];
  onChange: () => void = () => {};
  readonly #fd: number;
  readonly #buffer = new Uint8Array(ROOM);
  readonly #vectors = new BigUint64Array(8);
  #start = performance.now();

  /** @throws TunError without the right to make namespaces and devices */
  constructor({ local, bits, mtu }: ScriptSettings) {
    enterNetworkNamespace();
    const system = tunSystem();
    this.#fd = openDevice(system, DEVICE, false).fd;
    const netlink = new Netlink(system);
    try {
      const found = netlink.byName(DEVICE);
      if (found === undefined) throw new Error(`there is no ${DEVICE}`);
      setSysctl(`net.ipv6.conf.${DEVICE}.disable_ipv6`, local.family === 6 ? 0 : 1);
      netlink.change(found.index, { up: true, mtu });
      netlink.addAddress(found.index, { address: local, bits });
      netlink.addRoute(found.index, { address: local.family === 6 ? IPV6_ANY : IPV4_ANY, bits: 0 });
    } finally {
      netlink.close();
    }
    // What comes in is from addresses that no route of the kernel's own would expect there.
    setSysctl('net.ipv4.conf.all.rp_filter', 0);
    if (local.family === 6) waitForAddress(local);
    this.#start = performance.now();
  }

  get now(): number {
    return performance.now() - this.#start;
  }

  socket(domain: number, type: number, protocol: number): TestSocket | number {
    return kernelSocket(domain, type, protocol);
  }

  /** Before the first packet it takes no time, as packetdrill has it. */
  command(text: string): number {
    const started = performance.now();
    const { status } = spawnSync('sh', ['-c', text], { stdio: 'ignore' });
    if (this.passed.length === 0) this.#start += performance.now() - started;
    return status ?? 127;
  }

  alarm(): void {}

  settle(): void {
    this.#read();
    this.onChange();
  }

  run(until: number, enough: () => boolean): boolean {
    for (;;) {
      this.settle();
      if (enough()) return true;
      const left = until - this.now;
      if (left <= 0) return false;
      // A millisecond at most, so that calls that wait for something else than packets are tried again.
      waitReadable(this.#fd, left > 1 ? 1 : 0);
    }
  }

  inject(bytes: Uint8Array, pieceSize: number): void {
    this.passed.push({ at: this.now, bytes, direction: 'in' });
    const system = tunSystem();
    const kind = pieceSize === 0 ? VNET_GSO_NONE : (bytes[0] ?? 0) >>> 4 === 6 ? VNET_GSO_TCPV6 : VNET_GSO_TCPV4;
    writeVirtioNet(new DataView(this.#buffer.buffer), 0, 0, kind, 0, pieceSize, 0, 0);
    this.#buffer.set(bytes, VNET_HEADER_LENGTH);
    this.#vectors[0] = BigInt(system.addressOf(this.#buffer));
    this.#vectors[1] = BigInt(VNET_HEADER_LENGTH + bytes.length);
    system.writev(this.#fd, system.addressOf(new Uint8Array(this.#vectors.buffer)), 1);
    this.settle();
  }

  close(): number {
    this.onChange = () => {};
    tunSystem().close(this.#fd);
    return 0;
  }

  #read(): void {
    const system = tunSystem();
    const address = system.addressOf(this.#buffer);
    for (let got = system.read(this.#fd, address, ROOM); got > 0; got = system.read(this.#fd, address, ROOM)) {
      const packet: PassedPacket = {
        at: this.now,
        bytes: this.#buffer.slice(VNET_HEADER_LENGTH, got),
        direction: 'out',
      };
      if (isOfTheLink(packet.bytes)) continue;
      this.sent.push(packet);
      this.passed.push(packet);
    }
  }
}

/** Linux makes an IPv6 address the host's a moment after it was given, in a thread of its own: when its route is there, it is. */
function waitForAddress({ bareW0, w1, w2, w3 }: IpAddress): void {
  const words = [bareW0, w1, w2, w3].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
  const end = performance.now() + ADDRESS_WAIT;
  while (!readFileSync('/proc/thread-self/net/ipv6_route', 'latin1').includes(`${words} 80 `)) {
    if (performance.now() > end) throw new Error(`the kernel does not take up the address ${words}`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

/** IPv6 has things to say on every new interface: what goes to the groups of a link is no script's. */
function isOfTheLink(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 0) >>> 4 === 6 && bytes[24] === 0xff;
}

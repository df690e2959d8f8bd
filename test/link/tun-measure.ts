/**
 * What the TUN link costs on this machine; docs/decisions/tuntap2-koffi.md has the figures. Not a test: run by hand, as root, with
 * `npm run build && node dist/test/link/tun-measure.js`.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, read, readSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { LinkReceiver } from '../../src/link/link.ts';
import { CHECKSUM_PARTIAL, Packet } from '../../src/link/packet.ts';
import { Slab } from '../../src/link/slab.ts';
import type { TunLink } from '../../src/link/tun.ts';
import { openTun } from '../../src/link/tun.ts';
import { openDevice } from '../../src/link/tun-device.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { tunSystem } from '../../src/link/tun-system.ts';
import { RealClock } from '../../src/time/real-clock.ts';
import { inNamespace } from '../support/namespace.ts';

export const moduleUrl = import.meta.url;

const ROUNDS = 200_000;

function nanoseconds(action: () => void, rounds = ROUNDS): number {
  for (let i = 0; i < rounds / 10; i++) action();
  const start = performance.now();
  for (let i = 0; i < rounds; i++) action();
  return Math.round(((performance.now() - start) / rounds) * 1e6);
}

/** One call, in ns: through koffi to nothing, to a TUN device that has nothing to read, and for comparison with node:fs. */
export async function calls() {
  const system = tunSystem();
  const buffer = new Uint8Array(65_600);
  const address = system.addressOf(buffer);
  const sink = system.open('/dev/null', 2);
  const vectors = new BigUint64Array(4).fill(BigInt(address));
  vectors[1] = vectors[3] = 100n;
  const vectorsAddress = system.addressOf(new Uint8Array(vectors.buffer));
  const device = openDevice(system, undefined, true);
  const zero = openSync('/dev/zero', 'r');
  const asyncRounds = 20_000;
  const start = performance.now();
  for (let i = 0; i < asyncRounds; i++) {
    await new Promise<void>((resolve) => read(zero, buffer, 0, 1500, null, () => resolve()));
  }
  const fsRead = Math.round(((performance.now() - start) / asyncRounds) * 1e6);
  return {
    'errno()': nanoseconds(() => system.errno()),
    'addressOf(buffer)': nanoseconds(() => system.addressOf(buffer)),
    'read of /dev/null': nanoseconds(() => system.read(sink, address, 1500)),
    'writev of 2 to /dev/null': nanoseconds(() => system.writev(sink, vectorsAddress, 2)),
    'read of an empty TUN (EAGAIN)': nanoseconds(() => system.read(device.fd, address, 65_545)),
    'fs.readSync of /dev/zero': nanoseconds(() => readSync(zero, buffer, 0, 1500, null)),
    'fs.read of /dev/zero, one at a time': fsRead,
  };
}

class Counter implements LinkReceiver {
  readonly slab = new Slab();
  readonly addresses = [];
  readonly clock = new RealClock();
  packets = 0;
  bytes = 0;
  batches = 0;
  receive(batch: { readonly packets: readonly Packet[]; length: number }): void {
    this.batches++;
    this.packets += batch.length;
    for (let i = 0; i < batch.length; i++) this.bytes += (batch.packets[i] as Packet).length;
  }
  writable(): void {}
  up(): void {}
  down(): void {}
  closed(): void {}
}

function quietLink(mtu: number, txQueueLength = 10_000): TunLink {
  setSysctl('net.ipv6.conf.default.disable_ipv6', 1);
  return openTun({ address: '10.9.0.1/24', mtu, txQueueLength });
}

/** Another process floods the link with datagrams of `payload` bytes for two seconds. */
export async function drain(payload: number, mtu: number) {
  const link = quietLink(mtu);
  const counter = new Counter();
  link.attach(counter);
  const flooder = spawn(
    process.execPath,
    [fileURLToPath(import.meta.url), 'flood', String(payload), '2000', '1000000', '0'],
    { stdio: 'inherit' },
  );
  const ended = once(flooder, 'exit');
  while (counter.packets === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  const start = performance.now();
  const cpu = process.cpuUsage();
  const before = { packets: counter.packets, bytes: counter.bytes, batches: counter.batches };
  await new Promise((resolve) => setTimeout(resolve, 1500));
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const packets = counter.packets - before.packets;
  const gigabits = ((counter.bytes - before.bytes) * 8) / seconds / 1e9;
  await ended;
  link.close();
  return {
    'packets/s': Math.round(packets / seconds),
    'Gbit/s': Number(gigabits.toFixed(1)),
    'packets per batch': Number((packets / (counter.batches - before.batches)).toFixed(1)),
    'ns of processor per packet': Math.round(((user + system) * 1000) / packets),
  };
}

/** Bursts of 2,000 datagrams each 10 ms against queues of different lengths: the share that the kernel dropped. */
export async function bursts(txQueueLength: number) {
  const link = quietLink(1500, txQueueLength);
  const counter = new Counter();
  link.attach(counter);
  const flooder = spawn(process.execPath, [fileURLToPath(import.meta.url), 'flood', '1400', '1500', '2000', '10'], {
    stdio: 'inherit',
  });
  await once(flooder, 'exit');
  await new Promise((resolve) => setTimeout(resolve, 50));
  const { txDropped, txPackets } = link.interfaceState().counters;
  link.close();
  return `${((100 * txDropped) / (txDropped + txPackets)).toFixed(2)} % of ${txDropped + txPackets} dropped`;
}

/** One `send` of one packet in two parts, ns: the kernel's copy of it included; then it finds no route on (10.9.0.99) and drops it. */
export function sends(payload: number, segmentSize: number) {
  const link = quietLink(1500);
  const slab = new Slab();
  const packet = new Packet(slab.take(), 16);
  const { view } = packet.chunk;
  const headers = segmentSize > 0 ? 40 : 28;
  const tcp = segmentSize > 0;
  for (const [i, word] of [
    0x4500,
    headers + payload,
    0,
    0x4000,
    tcp ? 0x4006 : 0x4011,
    0,
    0x0a09,
    2,
    0x0a09,
    99,
  ].entries())
    view.setUint16(16 + 2 * i, word);
  view.setUint16(26, checksumOf(view));
  view.setUint16(38, 9);
  view.setUint16(tcp ? 48 : 40, tcp ? 0x5010 : 8 + payload);
  packet.length = headers;
  const parts = slab.take();
  packet.addPart(parts, 0, payload >> 1);
  packet.addPart(parts, payload >> 1, payload - (payload >> 1));
  Object.assign(packet, { checksum: CHECKSUM_PARTIAL, transportOffset: 20, checksumOffset: tcp ? 16 : 6, segmentSize });
  const batch = { packets: [packet], length: 1 };
  const each = nanoseconds(() => link.send(batch), 50_000);
  const { packetsLost } = link.statistics;
  link.close();
  return `${each} ns each${packetsLost > 0 ? `, ${packetsLost} lost` : ''}`;
}

function checksumOf(view: DataView): number {
  let total = 0;
  for (let i = 0; i < 20; i += 2) total += view.getUint16(16 + i);
  return ~((total & 0xffff) + (total >>> 16)) & 0xffff;
}

/** The flooding process: `burst` datagrams with sendmmsg(2), 64 to a call, then `pause` ms, until `time` ms have passed. */
function flood(payload: number, time: number, burst: number, pause: number): void {
  const koffi = createRequire(import.meta.url)('koffi') as typeof import('koffi');
  const libc = koffi.load(null);
  const system = tunSystem();
  const connect = libc.func('int connect(int fd, uintptr_t address, int length)');
  const sendmmsg = libc.func('int sendmmsg(int fd, uintptr_t messages, unsigned int count, int flags)');
  const fd = system.socket(2, 2, 0);
  const address = new Uint8Array(128);
  address.set([2, 0, 0, 9, 10, 9, 0, 2]);
  connect(fd, system.addressOf(address), 16);
  const data = new Uint8Array(Math.max(payload, 128));
  const vector = BigUint64Array.of(BigInt(system.addressOf(data)), BigInt(payload), ...new Array<bigint>(8).fill(0n));
  const messages = new BigUint64Array(64 * 8);
  for (let i = 0; i < 64; i++) messages.set([BigInt(system.addressOf(new Uint8Array(vector.buffer))), 1n], 8 * i + 2);
  const messagesAddress = system.addressOf(new Uint8Array(messages.buffer));
  const end = performance.now() + time;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() < end) {
    for (let i = 0; i < burst && performance.now() < end; i += 64) sendmmsg(fd, messagesAddress, 64, 0);
    if (pause > 0) Atomics.wait(sleeper, 0, 0, pause);
  }
  if (data.length + vector.length === 0) throw new Error('the buffers live until here');
}

if (process.argv[2] === 'flood') {
  const [payload, time, burst, pause] = process.argv.slice(3).map(Number) as [number, number, number, number];
  flood(payload, time, burst, pause);
} else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const run = inNamespace({ moduleUrl, calls, drain, bursts, sends });
  console.log('one call, ns:', await run.calls());
  console.log('drain, 60 byte packets:', await run.drain(32, 1500));
  console.log('drain, 1500 byte packets:', await run.drain(1472, 1500));
  console.log('drain, 65000 byte packets:', await run.drain(64_972, 65_535));
  for (const length of [500, 1000, 2000, 10_000])
    console.log(`bursts, txqueuelen ${length}:`, await run.bursts(length));
  console.log('send, 60 bytes:', await run.sends(32, 0));
  console.log('send, 1500 bytes:', await run.sends(1472, 0));
  console.log('send, 64 KB super-segment:', await run.sends(64_240, 1460));
}

/** What tun.test.ts plays in a network namespace of its own. Each scene returns what the test then judges. */
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { TunLink, TunOptions } from '../../src/link/tun.ts';
import { openTun } from '../../src/link/tun.ts';
import { openDevice } from '../../src/link/tun-device.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { Netlink } from '../../src/link/tun-netlink.ts';
import { NetlinkMessage } from '../../src/link/tun-netlink-message.ts';
import { tunSystem } from '../../src/link/tun-system.ts';
import type { Seen } from './tun-hand.ts';
import {
  ACK,
  checksumHolds,
  echoRequest,
  Hand,
  ICMP,
  PSH,
  RST,
  SYN,
  TCP,
  tcpHeader,
  UDP,
  udpHeader,
} from './tun-hand.ts';

export const moduleUrl = import.meta.url;

const KERNEL = 0x0a090001;
const HAND = 0x0a090002;
const ADDRESS = '10.9.0.1/24';
const TUNSETPERSIST = 0x400454cb;

/** What a thrown error said. */
export interface Said {
  readonly code: string;
  readonly message: string;
}

function said(action: () => void): Said {
  try {
    action();
    return { code: 'none', message: '' };
  } catch (error) {
    const { code, message } = error as Said;
    return { code, message };
  }
}

function interfaces(): Record<string, string[]> {
  return Object.fromEntries(
    Object.entries(networkInterfaces()).map(([name, all]) => [name, (all ?? []).map((one) => one.cidr ?? '')]),
  );
}

export function creates(options: TunOptions) {
  const link = openTun(options);
  const opened = interfaces();
  const state = link.interfaceState();
  const { name, interfaceName, capabilities } = link;
  link.close();
  link.close();
  return { name, interfaceName, capabilities, opened, state, left: interfaces() };
}

export function changes() {
  const link = openTun({ address: ADDRESS });
  link.setAddress('10.9.1.1/16');
  link.setAddress('fd00::1/64');
  const addresses = interfaces()[link.name];
  link.setMtu(9000);
  link.addRoute('10.8.7.6/16', { congestionControl: 'reno' });
  const routes = readFileSync('/proc/net/route', 'utf8');
  link.setUp(false);
  const { up } = link.interfaceState();
  const mtu = [link.capabilities.mtu, link.interfaceState().mtu];
  link.close();
  return { addresses, mtu, routes, up, afterClose: said(() => link.setMtu(1500)) };
}

export function refuses() {
  const link = openTun({ name: 'busy0' });
  return {
    busy: said(() => openTun({ name: 'busy0' })),
    notTun: said(() => openTun({ name: 'lo' })),
    smallForIpv6: said(() => openTun({ address: 'fd00::1/64', mtu: 1000 })),
    left: Object.keys(linkNames(['busy0', 'tun0'])),
    stillOpen: link.interfaceState().name,
  };
}

/** Which of these interfaces there are, up or down. */
function linkNames(names: readonly string[]): Record<string, number> {
  const netlink = new Netlink(tunSystem());
  const found = names.map((name) => netlink.byName(name)).filter((one) => one !== undefined);
  netlink.close();
  return Object.fromEntries(found.map((one) => [one.name, one.mtu]));
}

export function asNobody() {
  process.setgid?.(65_534);
  process.setuid?.(65_534);
  return said(() => openTun());
}

export function attaches() {
  const system = tunSystem();
  const made = openDevice(system, 'keep0', false);
  system.ioctl(made.fd, TUNSETPERSIST, 1);
  system.close(made.fd);
  const netlink = new Netlink(system);
  const before = netlink.byName('keep0');
  netlink.change(before?.index ?? 0, { mtu: 1300, txQueueLength: 77 });
  const link = openTun({ name: 'keep0' });
  const untouched = link.interfaceState();
  const { capabilities } = link;
  link.close();
  const asked = openTun({ name: 'keep0', mtu: 1400, up: true, address: ADDRESS });
  const touched = asked.interfaceState();
  asked.close();
  const after = netlink.byName('keep0');
  netlink.close();
  return { untouched, capabilities, touched, after };
}

/** A process of its own in this namespace that opens a link and, if told, idles on it. */
async function otherProcess(code: string): Promise<ReturnType<typeof spawn>> {
  const source = `import { openTun } from ${JSON.stringify(new URL('../../src/link/tun.js', import.meta.url).href)};
    import { Hand, echoRequest } from ${JSON.stringify(new URL('./tun-hand.js', import.meta.url).href)};
    const hand = new Hand(openTun({ name: 'other0', address: '${ADDRESS}' })); ${code}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return child;
}

export async function killed() {
  const child = await otherProcess("setInterval(() => {}, 1000); console.log('open');");
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  const during = linkNames(['other0']);
  child.kill('SIGKILL');
  await once(child, 'exit');
  return { during, after: linkNames(['other0']) };
}

/** An attached link that nobody closes, with something to read, at the end of its process. */
export async function idle() {
  const child = await otherProcess(`hand.send(${ICMP}, ${HAND}, ${KERNEL}, echoRequest(1, 1), new Uint8Array(8));`);
  const [code, signal] = await once(child, 'exit');
  return { code, signal, after: linkNames(['other0']) };
}

/** A process that takes its own place: its id before and after, and what it finds there. */
export async function executes() {
  const source = `import { bringUp, execInUserNamespace } from ${JSON.stringify(new URL('../../src/link/tun-namespace.js', import.meta.url).href)};
    import { networkInterfaces } from 'node:os';
    if (process.argv[1] === 'inside') {
      bringUp('lo');
      console.log(JSON.stringify([process.pid, process.getuid(), Object.keys(networkInterfaces()), process.argv.slice(1)]));
    } else {
      console.log(JSON.stringify([process.pid]));
      console.log(execInUserNamespace([...process.execArgv, 'inside', 'argument with spaces']));
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
  });
  await once(child, 'close');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown[]);
}

export async function echo() {
  const { hand, link } = open();
  hand.send(ICMP, HAND, KERNEL, echoRequest(7, 9), new Uint8Array([1, 2, 3, 4, 5]));
  const reply = await hand.take((packet) => packet.protocol === ICMP);
  const { statistics } = link;
  const { counters } = link.interfaceState();
  link.close();
  const live = hand.slab.live;
  return {
    type: reply.bytes[20],
    tail: [...reply.bytes.subarray(24)],
    holds: checksumHolds(reply),
    statistics,
    counters,
    live,
  };
}

function open(options: TunOptions = {}): { hand: Hand; link: TunLink } {
  // Silence about IPv6 neighbours: a test looks at its own packets.
  setSysctl('net.ipv6.conf.default.disable_ipv6', 1);
  const link = openTun({ address: ADDRESS, ...options });
  return { hand: new Hand(link), link };
}

export async function datagrams(offload: boolean) {
  const { hand, link } = open({ offload });
  const socket = createSocket('udp4');
  socket.send('question', 5353, '10.9.0.2');
  const question = await hand.take((packet) => packet.protocol === UDP);
  const answer = new TextEncoder().encode('the answer');
  hand.send(UDP, HAND, KERNEL, udpHeader(5353, question.view.getUint16(20), answer.length), answer);
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  link.close();
  const { checksum, transportOffset, checksumOffset } = question;
  return {
    text: new TextDecoder().decode(question.bytes.subarray(28)),
    answer: data.toString(),
    checksum,
    transportOffset,
    checksumOffset,
    holds: checksumHolds(question),
  };
}

/** A kernel client's SYN; it is refused by hand. */
export async function refusedSyn(offload: boolean) {
  const { hand, link } = open({ offload });
  const socket = connect(80, '10.9.0.2');
  const syn = await hand.take((packet) => packet.protocol === TCP);
  hand.send(TCP, HAND, KERNEL, tcpHeader(80, portOf(syn), 0, seqOf(syn) + 1, RST | ACK), new Uint8Array());
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  link.close();
  return { flags: syn.bytes[33], checksum: syn.checksum, holds: checksumHolds(syn), code: error.code };
}

function portOf(packet: Seen): number {
  return packet.view.getUint16(20);
}

function seqOf(packet: Seen): number {
  return packet.view.getUint32(24);
}

/** A kernel client connected to the hand, port 80; the hand's next sequence number is 1001. */
async function connected(hand: Hand): Promise<{ socket: Socket; port: number; next: number }> {
  const socket = connect(80, '10.9.0.2');
  const syn = await hand.take((packet) => packet.protocol === TCP);
  const next = (seqOf(syn) + 1) >>> 0;
  hand.send(TCP, HAND, KERNEL, tcpHeader(80, portOf(syn), 1000, next, SYN | ACK), new Uint8Array());
  await once(socket, 'connect');
  return { socket, port: portOf(syn), next };
}

/** The kernel writes 100,000 bytes to a peer that does not acknowledge: an initial window of them comes. */
export async function superSegmentIn(offload: boolean) {
  const { hand, link } = open({ offload });
  const { socket } = await connected(hand);
  socket.write(new Uint8Array(100_000).fill(0x61));
  const first = await hand.take((packet) => packet.protocol === TCP && packet.bytes.length > 1000);
  socket.destroy();
  link.close();
  const { bytes, segmentSize, checksum } = first;
  return { length: bytes.length, segmentSize, checksum, holds: checksumHolds(first), last: bytes.at(-1) };
}

/** The hand sends 10,000 bytes as one super-segment. */
export async function superSegmentOut() {
  const { hand, link } = open();
  const { socket, port, next } = await connected(hand);
  const sent = new Uint8Array(10_000).map((_, i) => i * 31);
  hand.send(TCP, HAND, KERNEL, tcpHeader(80, port, 1001, next, ACK | PSH), sent, 1460);
  let got = new Uint8Array();
  while (got.length < sent.length) {
    const [data] = (await once(socket, 'data')) as [Uint8Array];
    got = Uint8Array.from([...got, ...data]);
  }
  const acknowledged = await hand.take((packet) => packet.protocol === TCP && packet.view.getUint32(28) === 11_001);
  socket.destroy();
  link.close();
  return {
    equal: Buffer.compare(got, sent) === 0,
    acknowledged: acknowledged.bytes.length,
    refusals: [...link.statistics.refusals],
  };
}

/** A wrong checksum that is said to be complete does not get past the kernel. */
export async function verifies() {
  const { hand, link } = open();
  const socket = createSocket('udp4').bind(5000, '10.9.0.1');
  await once(socket, 'listening');
  const wrong = udpHeader(1, 5000, 5);
  wrong[7] = 1;
  hand.send(UDP, HAND, KERNEL, wrong, new TextEncoder().encode('wrong'));
  hand.send(UDP, HAND, KERNEL, udpHeader(1, 5000, 5), new TextEncoder().encode('right'));
  const [data] = (await once(socket, 'message')) as [Buffer];
  socket.close();
  link.close();
  return data.toString();
}

/** Down and up again by somebody else: the link finds out when it sends, and when it could send again. */
export async function downAndUp(byItself: boolean) {
  const { hand, link } = open();
  const netlink = new Netlink(tunSystem());
  const { index } = link.interfaceState();
  const set = (up: boolean) => (byItself ? link.setUp(up) : netlink.change(index, { up }));
  const ping = () => hand.send(ICMP, HAND, KERNEL, echoRequest(1, 1), new Uint8Array(8));
  set(false);
  const taken = ping();
  await hand.event('down');
  ping();
  const lost = link.statistics.packetsLost;
  const sent = link.statistics.packetsSent;
  set(true);
  await hand.event('up');
  ping();
  await hand.take((packet) => packet.protocol === ICMP);
  link.close();
  netlink.close();
  return { taken, lost, sent, events: hand.events };
}

/** Opened down. */
export async function startsDown() {
  const { hand, link } = open({ up: false });
  await hand.event('down');
  link.setUp(true);
  await hand.event('up');
  link.close();
  return hand.events;
}

export async function deleted() {
  const { hand, link } = open();
  const RTM_DELLINK = 17;
  const message = new NetlinkMessage(RTM_DELLINK, 1).u32(0).u32(link.interfaceState().index).zeros(8);
  const system = tunSystem();
  const fd = system.socket(16, 3, 0);
  system.send(fd, system.addressOf(message.finish(1)), message.length, 0);
  await hand.event('closed EBADFD');
  const lost = link.send({ packets: [], length: 0 });
  return { events: hand.events, closed: link.closed, lost, left: linkNames([link.name]) };
}

/** Promise reactions of what a receiver resolves run before the next turn of the event loop. */
export async function reactions() {
  const { hand, link } = open();
  const order: string[] = [];
  hand.onReceive = () => {
    setImmediate(() => order.push('next turn'));
    void Promise.resolve().then(() => order.push('reaction'));
  };
  hand.send(ICMP, HAND, KERNEL, echoRequest(1, 1), new Uint8Array(8));
  while (order.length < 2) await new Promise((resolve) => setTimeout(resolve, 1));
  link.close();
  return order;
}

/** What a receiver throws is an uncaught exception like any other, and the link goes on. */
export async function throws() {
  const { hand, link } = open();
  hand.onReceive = () => {
    hand.onReceive = undefined;
    throw new Error('from receive');
  };
  const uncaught = once(process, 'uncaughtException');
  hand.send(ICMP, HAND, KERNEL, echoRequest(1, 1), new Uint8Array(8));
  const [error] = (await uncaught) as [Error];
  hand.send(ICMP, HAND, KERNEL, echoRequest(1, 2), new Uint8Array(8));
  await hand.take((packet) => packet.protocol === ICMP && packet.view.getUint16(26) === 2);
  const live = hand.slab.live;
  link.close();
  return { message: error.message, live };
}

/** Closing from within `receive`, with more to read. */
export async function closesInReceive() {
  const { hand, link } = open();
  const socket = createSocket('udp4');
  for (let i = 0; i < 200; i++) socket.send('x', 9, '10.9.0.2');
  const done = new Promise<void>((resolve) => {
    hand.onReceive = () => {
      link.close();
      resolve();
    };
  });
  await done;
  socket.close();
  await new Promise((resolve) => setImmediate(resolve));
  return { live: hand.slab.live, events: hand.events, receivedTwice: said(() => link.attach(hand)).message };
}

/** A flood does not keep timers from their turn, and nothing of it is lost in the link. */
export async function flood(count: number) {
  const { hand, link } = open();
  const socket = createSocket('udp4');
  const payload = new Uint8Array(1000);
  let timers = 0;
  const timer = setInterval(() => timers++, 1);
  for (let i = 0; i < count; i++) socket.send(payload, 9, '10.9.0.2');
  const dropped = () => link.interfaceState().counters.txDropped;
  while (hand.seen.length + dropped() < count) await new Promise((resolve) => setTimeout(resolve, 1));
  clearInterval(timer);
  const { counters } = link.interfaceState();
  socket.close();
  const { packetsReceived, bytesReceived } = link.statistics;
  link.close();
  return { timers, counters, packetsReceived, bytesReceived, seen: hand.seen.length, live: hand.slab.live };
}

/** Two namespaces may use the same names and ports. */
export async function listens(port: number): Promise<number> {
  const server: Server = createServer().listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: actual } = server.address() as AddressInfo;
  server.close();
  return actual;
}

/** Whether the kernel takes what is sent to its address as soon as it has it: on one device after the other. */
export function takesAtOnce(devices: number): boolean[] {
  return Array.from({ length: devices }, () => {
    const tun = openTun({ address: 'fd09::1/64' });
    const routes = readFileSync('/proc/thread-self/net/ipv6_route', 'utf8').split('\n');
    tun.close();
    // The flag of local routes: RTF_LOCAL.
    return routes.some((line) => /^fd090{27}1 80 .* 8[0-9a-f]{7} /.test(line));
  });
}

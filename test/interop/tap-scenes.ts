/** What tap.test.ts plays in a network namespace of its own: the kernel is at one end of a TAP device, hosts of ours at the other. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { createHost, type Host } from '../../src/host.ts';
import { createEthernet, type EthernetLink, type EthernetOptions } from '../../src/link/ethernet.ts';
import type { AddressConflict } from '../../src/link/link.ts';
import { createSwitch } from '../../src/link/switch.ts';
import { setSysctl } from '../../src/link/tun-namespace.ts';
import { openTap, type TapLink, type TapOptions } from '../../src/link/tun-tap.ts';
import type { OpError } from '../../src/net/op-error.ts';
import { serveHttp } from '../../src/node/http.ts';
import { RealClock } from '../../src/time/real-clock.ts';

export const moduleUrl = import.meta.url;

// A scene that failed leaves sockets and timers behind: the child is to end with its report all the same.
process.once('disconnect', () => process.exit());

const OURS = '02:00:00:00:00:02';
const BODY = Buffer.alloc(20_000_000, 'tunstack over Ethernet ');

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** What a program of the kernel's side wrote. */
function said(program: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args);
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.stderr.on('data', (data: Buffer) => (text += data.toString()));
    child.on('error', reject);
    child.on('close', () => resolve(text));
  });
}

/** Asks again until `holds`, for at most 10 s. */
async function until<T>(ask: () => T | Promise<T>, holds: (value: T) => boolean): Promise<T> {
  const end = performance.now() + 10_000;
  for (;;) {
    const value = await ask();
    if (holds(value) || performance.now() > end) return value;
    await pause(20);
  }
}

/** tap0 with the kernel at 10.0.0.1 and fd00::1. */
function openKernelsEnd(options: TapOptions = {}): TapLink {
  // The scenes wait for no detection of the kernel's but where they say so.
  setSysctl('net.ipv6.conf.default.accept_dad', 0);
  const tap = openTap({ name: 'tap0', address: '10.0.0.1/24', ...options });
  tap.setAddress('fd00::1/64');
  return tap;
}

interface Side {
  readonly tap: TapLink;
  readonly link: EthernetLink;
  readonly host: Host;
  readonly conflicts: AddressConflict[];
}

/** A host of ours on it, at 10.0.0.2 and fd00::2 unless it is said otherwise. */
function side(
  options: EthernetOptions = {},
  address: readonly string[] = ['10.0.0.2/24', 'fd00::2/64'],
  device: TapOptions = {},
): Side {
  const tap = openKernelsEnd(device);
  const conflicts: AddressConflict[] = [];
  const link = createEthernet(tap, {
    hardwareAddress: OURS,
    duplicateDetection: false,
    onConflict: (conflict) => conflicts.push(conflict),
    ...options,
  });
  return { tap, link, host: createHost({ link, address }), conflicts };
}

function neighbours(link: EthernetLink, of: string): string[] {
  return link
    .neighbours()
    .filter(({ address }) => String(address) === of)
    .map(({ hardwareAddress, state }) => `${hardwareAddress} ${state}`);
}

function states(link: EthernetLink): string[] {
  return link.addresses().map(({ address, state }) => `${address} ${state}`);
}

/** An HTTP server of ours; what curl got of it. */
async function curled(host: Host, address: string, url: string): Promise<string> {
  const listener = await host.listen('tcp', address);
  const service = serveHttp(
    listener,
    createHttpServer((_, response) => response.end(BODY)),
  );
  const hash = createHash('sha256');
  const child = spawn('curl', ['-sg', '--max-time', '15', url]);
  child.stdout.on('data', (data: Buffer) => hash.update(data));
  await new Promise((resolve) => child.on('close', resolve));
  await service.close();
  return hash.digest('hex');
}

export const bodyHash = () => createHash('sha256').update(BODY).digest('hex');

export async function pings() {
  const { link, host, tap } = side();
  const [arping, ping, ping6, large, local, trial, others] = await Promise.all([
    said('arping', '-c', '2', '-w', '3', '-I', 'tap0', '10.0.0.2'),
    said('ping', '-c', '2', '-i', '0.1', '-W', '2', '10.0.0.2'),
    said('ping', '-6', '-c', '2', '-i', '0.1', '-W', '2', 'fd00::2'),
    said('ping', '-c', '2', '-i', '0.1', '-W', '2', '-s', '65507', '10.0.0.2'),
    // RFC 4291 2.5.1: the link-local address that follows from our hardware address.
    said('ping', '-6', '-c', '2', '-i', '0.1', '-W', '2', 'fe80::ff:fe00:2%tap0'),
    // RFC 5227: the question of who tries our address out.
    said('arping', '-D', '-c', '1', '-w', '2', '-I', 'tap0', '10.0.0.2'),
    // We answer for nobody else.
    said('arping', '-c', '1', '-w', '1', '-I', 'tap0', '10.0.0.3'),
  ]);
  const known = await said('ip', 'neigh', 'show', 'dev', 'tap0');
  const ours = [...neighbours(link, '10.0.0.1'), ...neighbours(link, 'fd00::1')];
  const { kernelAddress } = tap;
  await host.close();
  return { arping, ping, ping6, large, local, trial, known, others, ours, kernelAddress };
}

export async function transfers(offload: boolean) {
  const { host, link } = side({}, undefined, { offload });
  const four = await curled(host, '10.0.0.2:80', 'http://10.0.0.2/');
  const six = await curled(host, '[fd00::2]:80', 'http://[fd00::2]/');
  // And the other way: we dial the kernel.
  const server = createServer((socket) => socket.pipe(socket)).listen(7, '::');
  const echoes: string[] = [];
  const linkLocal = /fe80::[0-9a-f:]+/.exec(
    await said('ip', '-o', '-6', 'addr', 'show', 'dev', 'tap0', 'scope', 'link'),
  )?.[0];
  for (const address of ['10.0.0.1:7', '[fd00::1]:7', `[${linkLocal}%tap0]:7`]) {
    const conn = await host.dial('tcp', address);
    const buffer = new Uint8Array(100);
    await conn.write(new TextEncoder().encode('hello'));
    echoes.push(new TextDecoder().decode(buffer.subarray(0, (await conn.read(buffer)) ?? 0)));
    await conn.close();
  }
  server.close();
  const { dropped } = link.statistics;
  await host.close();
  return { four, six, echoes, invalid: [...dropped.keys()].filter((cause) => cause !== 'not-for-us') };
}

/** The kernel has the addresses that we want: 10.0.0.1 and fd00::1; of the others nobody else has any. */
export async function detects() {
  const { link, host, conflicts, tap } = side(
    { duplicateDetection: true, random: { uint32: () => 1, float: () => 0 } },
    ['10.0.0.1/24', 'fd00::1/64', '10.0.0.2/24', 'fd00::2/64'],
  );
  const tentative = states(link).filter((line) => !line.startsWith('fe80'));
  await until(
    () => conflicts.length,
    (length) => length === 2,
  );
  // RFC 5227: 4 to 7 s for ours that nobody has; by this chance, 4.
  const begun = performance.now();
  await until(
    () => states(link),
    (lines) => lines.includes('10.0.0.2 preferred'),
  );
  const refused = await host.dial('tcp', '10.0.0.1:9').then(() => '', String);
  const report = {
    tentative,
    took: performance.now() - begun,
    settled: states(link).filter((line) => !line.startsWith('fe80')),
    conflicts: conflicts.map(
      ({ address, hardwareAddress, kept }) => `${address} ${hardwareAddress === tap.kernelAddress} ${kept}`,
    ),
    kernel: await said('ip', '-o', 'addr', 'show', 'dev', 'tap0'),
    refused,
  };
  await host.close({ timeout: 0 });
  return report;
}

/** The kernel takes addresses of ours: it detects the one of IPv6; that of IPv4 it takes, and we notice. */
export async function taken() {
  const { link, host, conflicts, tap } = side();
  setSysctl('net.ipv6.conf.tap0.accept_dad', 1);
  await said('ip', 'addr', 'add', 'fd00::2/64', 'dev', 'tap0');
  const dad = await until(
    () => said('ip', '-o', '-6', 'addr', 'show', 'dev', 'tap0'),
    (text) => text.includes('dadfailed'),
  );
  await said('ip', 'addr', 'add', '10.0.0.2/24', 'dev', 'tap0');
  // What the kernel asks in the name of our address is the conflict, and our announcement the defence.
  const asking = ['-c', '1', '-W', '1', '-I', '10.0.0.2', '10.0.0.9'];
  await said('ping', ...asking);
  const once = states(link).filter((line) => line.startsWith('10.'));
  await said('ping', ...asking);
  const told = await until(
    () => conflicts.length,
    (length) => length === 2,
  );
  const report = {
    dad,
    once,
    twice: states(link).filter((line) => line.startsWith('10.')),
    told,
    conflicts: conflicts.map(
      ({ address, hardwareAddress, kept }) => `${address} ${hardwareAddress === tap.kernelAddress} ${kept}`,
    ),
  };
  await host.close({ timeout: 0 });
  return report;
}

/** Nobody is at 10.0.0.77 and fd00::77: what the user is told, and when. */
export async function nobody() {
  const { link, host } = side({ neighbour: { retrans_time_ms: 200 } });
  const begun = performance.now();
  const told = await Promise.all(
    ['10.0.0.77:80', '[fd00::77]:80'].map((address) =>
      host.dial('tcp', address).then(
        () => '',
        (error: OpError) => error.message,
      ),
    ),
  );
  const took = performance.now() - begun;
  const ours = [...neighbours(link, '10.0.0.77'), ...neighbours(link, 'fd00::77')];
  await host.close();
  return { told, took, ours };
}

/** States of both sides, with times short enough to be seen: who is in doubt is asked, by unicast, and answers. */
export async function confirms() {
  const short = { base_reachable_time_ms: 200, delay_first_probe_time: 0, retrans_time_ms: 300 };
  const { link, host } = side({ neighbour: short });
  for (const family of ['ipv4', 'ipv6']) {
    setSysctl(`net.${family}.neigh.tap0.base_reachable_time_ms`, 500);
    setSysctl(`net.${family}.neigh.tap0.delay_first_probe_time`, 1);
  }
  const server = createServer((socket) => socket.on('error', () => {}).resume()).listen(9, '::');
  const conns = await Promise.all([host.dial('tcp', '10.0.0.1:9'), host.dial('tcp', '[fd00::1]:9')]);
  for (let i = 0; i < 25; i++) {
    for (const conn of conns) await conn.write(Uint8Array.of(i));
    await pause(100);
  }
  const report = {
    ours: [...neighbours(link, '10.0.0.1'), ...neighbours(link, 'fd00::1')],
    sent: [link.statistics.arpRequestsSent, link.statistics.solicitationsSent],
    received: [link.statistics.arpRequestsReceived, link.statistics.solicitationsReceived],
    kernel: await said('ip', 'neigh', 'show', 'dev', 'tap0'),
  };
  for (const conn of conns) await conn.close();
  server.close();
  await host.close();
  return report;
}

/** Two hosts and the kernel on one switch. */
export async function switched() {
  const tap = openKernelsEnd();
  const clock = new RealClock();
  const lan = createSwitch({ clock });
  lan.connect(tap);
  const [one, two] = [2, 3].map((n) =>
    createHost({
      link: createEthernet(lan.port(), { duplicateDetection: false }),
      address: [`10.0.0.${n}/24`, `fd00::${n}/64`],
      clock,
    }),
  ) as [Host, Host];
  const got = await Promise.all([
    curled(one, '10.0.0.2:80', 'http://10.0.0.2/'),
    curled(two, '[fd00::3]:80', 'http://[fd00::3]/'),
  ]);
  const listener = await two.listen('tcp', '10.0.0.3:7');
  const conn = await one.dial('tcp', '10.0.0.3:7');
  const met = String((await listener.accept()).remoteAddr()).startsWith('10.0.0.2:');
  await conn.close();
  const table = lan.table().length;
  await Promise.all([one.close(), two.close()]);
  lan.close();
  return { got, met, table, tapClosed: tap.closed };
}

/** Behind a bridge of the kernel's that forwards only to groups that were told of. undefined: there are no bridges here. */
export async function snooped() {
  setSysctl('net.ipv6.conf.default.accept_dad', 0);
  const tap = openTap({ name: 'tap0' });
  const refusal = await said('ip', 'link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '1', 'mcast_querier', '1');
  if (refusal !== '') return undefined;
  await said('ip', 'link', 'set', 'tap0', 'master', 'br0');
  await said('ip', 'addr', 'add', 'fd00::1/64', 'dev', 'br0');
  await said('ip', 'link', 'set', 'br0', 'up');
  const host = createHost({
    link: createEthernet(tap, { hardwareAddress: OURS, duplicateDetection: false }),
    address: 'fd00::2/64',
  });
  const groups = await until(
    () => said('bridge', 'mdb', 'show'),
    (text) => text.includes('port tap0 grp ff02::1:ff00:2'),
  );
  const ping = await said('ping', '-6', '-c', '2', '-i', '0.1', '-W', '2', 'fd00::2');
  await host.close();
  return { groups, ping };
}

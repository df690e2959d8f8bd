/** What raw.test.ts plays: a host on the interface of a namespace, and a kernel at the other end of a veth pair. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { createHost, type Host } from '../../src/host.ts';
import { openRaw, type RawLink, type RawOptions } from '../../src/link/raw.ts';
import type { HostOptions } from '../../src/net/host-options.ts';
import { joinHostPort } from '../../src/net/host-port.ts';
import { TCPAddr } from '../../src/net/tcp-addr.ts';
import { serveHttp } from '../../src/node/http.ts';
import { FAR_INTERFACE, NEAR_INTERFACE, Neighbour } from '../support/veth.ts';
import { exchange } from './flow.ts';
import { Kernel } from './kernel.ts';

export const moduleUrl = import.meta.url;

const NEAR = ['10.9.0.2/24', 'fd09::2/64'];
const FAR = ['10.9.0.1/24', 'fd09::1/64'];
const PORTS = [7, '61000-61999'];

interface Options extends Partial<RawOptions> {
  readonly mtu?: number;
  readonly sysctl?: HostOptions['sysctl'];
}

/** A host at `address`, and the neighbour's kernel. */
class RawGround {
  readonly link: RawLink;
  readonly host: Host;
  readonly neighbour: Neighbour;
  readonly kernel: Kernel;

  private constructor(neighbour: Neighbour, options: RawOptions & Options) {
    this.neighbour = neighbour;
    this.kernel = new Kernel(neighbour.entry);
    const { sysctl, ...rest } = options;
    this.link = openRaw(rest);
    const bits = this.link.address.family === 4 ? 24 : 64;
    this.host = createHost({
      link: this.link,
      address: `${this.link.address}/${bits}`,
      sysctl: { ip_local_port_range: [61_000, 61_999], tcp_timewait_len: 0.1, ...sysctl },
    });
  }

  static async open({ mtu, ...options }: Options = {}): Promise<RawGround> {
    const neighbour = await Neighbour.start(NEAR, FAR, mtu);
    return new RawGround(neighbour, { address: '10.9.0.2', ports: PORTS, ...options });
  }

  async end(): Promise<void> {
    await this.host.close();
    this.leave();
  }

  leave(): void {
    this.kernel.end();
    this.neighbour.end();
  }
}

/** Of this namespace's kernel: segments with RST that it made. */
function resetsOfKernel(): number {
  const [names = [], values = []] = readFileSync('/proc/net/snmp', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Tcp:'))
    .map((line) => line.split(' '));
  return Number(values[names.indexOf('OutRsts')]);
}

/** Whether a segment to a port that is nobody's is answered with a RST by this kernel: a SYN from the neighbour. */
async function kernelAnswers({ kernel }: { kernel: Kernel }, port: number, host = '10.9.0.2'): Promise<boolean> {
  const before = resetsOfKernel();
  await kernel.acts.knock(port, host);
  return resetsOfKernel() > before;
}

/** 20 MB both ways at once, dialled by the kernel, then by us. */
export async function exchanges(size: number, options: Options = {}) {
  const ground = await RawGround.open(options);
  const { host, kernel, link } = ground;
  const theirs = link.address.family === 4 ? '10.9.0.1' : 'fd09::1';
  const at = (address: string, port: number) => joinHostPort(address, String(port));
  const plan = { bytes: size, hash: true };
  const before = resetsOfKernel();
  const listener = await host.listen('tcp', at(String(link.address), 7));
  const accepted = listener.accept().then((conn) => exchange(conn, plan));
  const listened = await Promise.all([accepted, kernel.acts.dial(7, plan, String(link.address))]);
  listener.close();
  const port = await kernel.acts.listen({ plan }, 511, theirs);
  const dialled = host.dial('tcp', at(theirs, port));
  const both = await Promise.all([dialled.then((conn) => exchange(conn, plan)), kernel.acts.served(port)]);
  const { statistics, receiveDrops, guard } = link;
  const counters = { ...host.counters };
  const resets = resetsOfKernel() - before;
  await host.close();
  const after = await kernelAnswers(ground, 7, String(link.address));
  ground.leave();
  return { listened, dialled: both, statistics, receiveDrops, guard, counters, resets, answersAfter: after };
}

/** curl loads a page of `size` bytes from a host over raw sockets, and sends as much. @returns hashes */
export async function curls(size: number) {
  const ground = await RawGround.open({ ports: [80] });
  const page = Buffer.alloc(size, 'the page that curl loads, over and over. ');
  const uploaded = createHash('sha256');
  const server = createHttpServer((request, response) => {
    if (request.method === 'GET') response.end(page);
    else request.on('data', (data: Buffer) => uploaded.update(data)).on('end', () => response.end('thanks\n'));
  });
  const service = serveHttp(await ground.host.listen('tcp', ':80'), server);
  const directory = mkdtempSync(join(tmpdir(), 'tunstack-'));
  const file = join(directory, 'page');
  const before = resetsOfKernel();
  try {
    const curl = (...args: string[]) => runThere(ground.neighbour, 'curl', '-sS', ...args, 'http://10.9.0.2/');
    await curl('--output', file);
    const loaded = createHash('sha256').update(readFileSync(file)).digest('hex');
    await curl('--upload-file', file);
    const hash = createHash('sha256').update(page).digest('hex');
    return { hash, loaded, uploaded: uploaded.digest('hex'), resets: resetsOfKernel() - before };
  } finally {
    rmSync(directory, { recursive: true, force: true });
    await service.close();
    await ground.end();
  }
}

async function runThere(neighbour: Neighbour, ...command: string[]): Promise<void> {
  const [program, ...args] = neighbour.entry;
  const child = spawn(program, [...args, ...command], { stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = (await once(child, 'close')) as [number];
  if (code !== 0) throw new Error(`${command.join(' ')}: exit code ${code}`);
}

/**
 * Who answers a SYN to a port of the link on which nobody listens, and to one that is the kernel's; and what a connection from a port that is
 * not the link's comes to.
 */
export async function divides(options: Options) {
  const ground = await RawGround.open({ ...options, sysctl: { tcp_syn_retries: 1 } });
  const { host, link } = ground;
  const address = String(link.address);
  const kernelAnsweredOurs = await kernelAnswers(ground, 61_007, address);
  const weReset = host.counters['OutRsts'];
  const kernelAnsweredItsOwn = await kernelAnswers(ground, 62_000, address);
  const { packetsSent } = link.statistics;
  const localAddr = new TCPAddr(link.address, 50_000);
  const error = await host.dial('tcp', '10.9.0.1:9', { localAddr, timeout: 50 }).then(String, (e: Error) => e.message);
  const { packetsForeign } = link.statistics;
  const sentFromForeign = link.statistics.packetsSent - packetsSent;
  await ground.end();
  return { kernelAnsweredOurs, weReset, kernelAnsweredItsOwn, error, packetsForeign, sentFromForeign };
}

const OPEN_AND_WAIT = `import { openRaw } from ${JSON.stringify(new URL('../../src/link/raw.js', import.meta.url).href)};
  const link = openRaw(JSON.parse(process.argv[1]));
  process.stdout.write('open\\n');
  setInterval(() => {}, 1000);`;

async function otherProcess(options: RawOptions): Promise<ChildProcess> {
  const argv = ['--input-type=module', '--eval', OPEN_AND_WAIT, JSON.stringify(options)];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  return child;
}

/** Who answers while another process has a link open, and when a signal has ended it. */
export async function outlives(signal: NodeJS.Signals, options: Partial<RawOptions> = {}) {
  const neighbour = await Neighbour.start(NEAR, FAR);
  const kernel = new Kernel(neighbour.entry);
  const raw: RawOptions = { address: '10.9.0.2', ports: PORTS, ...options };
  const child = await otherProcess(raw);
  const during = await kernelAnswers({ kernel }, 61_007, raw.address);
  const rules = leftovers();
  child.kill(signal);
  const [, by] = (await once(child, 'exit')) as [number | null, string | null];
  const left = leftovers();
  const after = left.routes === '' && (await kernelAnswers({ kernel }, 61_007, raw.address));
  const next = openRaw(raw);
  const withNext = leftovers();
  next.close();
  const end = leftovers();
  kernel.end();
  neighbour.end();
  return { by, during, after, rules, left, withNext, end };
}

/** Rules of iptables, and local routes, that raw links have made. */
function leftovers(): { rules: number; routes: string } {
  const { stdout } = spawnSync('iptables', ['-S', 'OUTPUT'], { encoding: 'utf8' });
  const routes = execFileSync('ip', ['route', 'show', 'table', 'local', 'proto', '116'], { encoding: 'utf8' });
  return { rules: (stdout ?? '').split('tunstack-raw').length - 1, routes: routes.trim() };
}

const ECHO = `const socket = require('node:dgram').createSocket({ type: process.argv[1], reuseAddr: true });
  socket.on('message', (data, { port, address }) => socket.send(data, port, address));
  socket.bind(7777, process.argv[2], () => process.stdout.write('open'));`;

/** Datagrams of these lengths to the neighbour and back, and one from there to a port that nobody has. */
export async function datagrams(address: string, lengths: readonly number[]) {
  const ground = await RawGround.open({ address, protocols: ['tcp', 'udp'] });
  const { host, link, neighbour } = ground;
  const [type, theirs] = link.address.family === 4 ? ['udp4', '10.9.0.1'] : ['udp6', 'fd09::1'];
  const [program, ...args] = neighbour.entry;
  const echo = spawn(program, [...args, process.execPath, '-e', ECHO, type, theirs], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(echo.stdout, 'data');
  const conn = await host.dial('udp', joinHostPort(theirs, 7777));
  const echoed: boolean[] = [];
  for (const length of lengths) {
    const sent = Buffer.alloc(length, 'a datagram that comes back ');
    await conn.write(sent);
    const { data } = await conn.readDatagram();
    echoed.push(sent.equals(data));
  }
  conn.close();
  const knock = `require('node:dgram').createSocket('${type}').send('knock', 61999, '${address}', () => process.exit())`;
  await runThere(neighbour, process.execPath, '-e', knock);
  while (host.counters['UdpNoPorts'] + host.counters['Udp6NoPorts'] === 0) await new Promise((go) => setImmediate(go));
  while (unreachables(neighbour, link.address.family) === 0) await new Promise((go) => setTimeout(go, 1));
  const told = unreachables(neighbour, link.address.family);
  echo.kill();
  await ground.end();
  return { echoed, told };
}

/** ICMP errors that the neighbour has got: from our stack, or from this namespace's kernel. */
function unreachables(neighbour: Neighbour, family: 4 | 6): number {
  const read = (name: string) => neighbour.run('cat', `/proc/net/${name}`);
  if (family === 6) return Number(/^Icmp6InDestUnreachs\s+([0-9]+)$/m.exec(read('snmp6'))?.[1]);
  const lines = read('snmp')
    .split('\n')
    .filter((line) => line.startsWith('Icmp:'));
  const [names = [], values = []] = lines.map((line) => line.split(' '));
  return Number(values[names.indexOf('InDestUnreachs')]);
}

/** Over an interface that is slow, so that the socket's send buffer is what holds us up. */
export async function holdsUp(size: number) {
  const ground = await RawGround.open();
  const queue = ['qdisc', 'add', 'dev', NEAR_INTERFACE, 'root', 'tbf', 'rate', '200mbit', 'burst', '16kb'];
  execFileSync('tc', [...queue, 'limit', '4mb']);
  const plan = { bytes: size, hash: true };
  const port = await ground.kernel.acts.listen({ plan: { hash: true } });
  const conn = await ground.host.dial('tcp', `10.9.0.1:${port}`);
  const [ours, theirs] = await Promise.all([exchange(conn, plan), ground.kernel.acts.served(port)]);
  const { refusals, packetsLost } = ground.link.statistics;
  const { RetransSegs, TCPLossProbes } = ground.host.counters;
  await ground.end();
  return { sent: ours.sentHash, got: theirs.receivedHash, refusals, packetsLost, again: RetransSegs - TCPLossProbes };
}

/** The interface's mtu is lowered under a connection. */
export async function narrows() {
  const ground = await RawGround.open();
  const plan = { bytes: 300_000, hash: true };
  const before = ground.link.capabilities.mtu;
  const port = await ground.kernel.acts.listen({ plan: { hash: true } });
  const conn = await ground.host.dial('tcp', `10.9.0.1:${port}`);
  execFileSync('ip', ['link', 'set', NEAR_INTERFACE, 'mtu', '1280']);
  ground.neighbour.run('ip', 'link', 'set', FAR_INTERFACE, 'mtu', '1280');
  const [ours, theirs] = await Promise.all([exchange(conn, plan), ground.kernel.acts.served(port)]);
  const after = ground.link.capabilities.mtu;
  await ground.end();
  return { before, after, sent: ours.sentHash, got: theirs.receivedHash };
}

interface Said {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

function said(action: () => void): Said {
  try {
    action();
    return { name: 'none', code: 'none', message: '' };
  } catch (error) {
    const { name, code, message } = error as Said;
    return { name, code, message };
  }
}

export async function refuses() {
  const neighbour = await Neighbour.start(NEAR, FAR);
  const foreign = said(() => openRaw({ address: '10.9.0.77' }));
  const noInterface = said(() => openRaw({ address: '10.9.0.77', interface: 'nix0' }));
  const noPorts = said(() => openRaw({ address: '10.9.0.2' }));
  const inUse = [];
  for (const host of ['10.9.0.2', '0.0.0.0', '::', 'fd09::2', '127.0.0.1']) {
    const server = createServer().listen({ port: 7, host });
    await once(server, 'listening');
    inUse.push(said(() => openRaw({ address: '10.9.0.2', ports: ['1-10'] }).close()).code);
    server.close();
    await once(server, 'close');
  }
  const udpByIptables = said(() =>
    openRaw({ address: '10.9.0.2', ports: [7], protocols: ['tcp', 'udp'], guard: 'iptables' }),
  );
  const worker = new Worker(
    `import { openRaw } from ${JSON.stringify(new URL('../../src/link/raw.js', import.meta.url).href)};
     import { parentPort } from 'node:worker_threads';
     try { openRaw({ address: '10.9.0.2', ports: [7] }); } catch (error) { parentPort.postMessage(error.code); }`,
    { eval: true },
  );
  const [inWorker] = (await once(worker, 'message')) as [string];
  process.seteuid?.(65_534);
  const nobody = said(() => openRaw({ address: '10.9.0.2', ports: [7] }));
  const nobodyUnguarded = said(() => openRaw({ address: '10.9.0.2', ports: [7], guard: 'none' }));
  process.seteuid?.(0);
  neighbour.end();
  return { foreign, noInterface, noPorts, inUse, udpByIptables, inWorker, nobody, nobodyUnguarded };
}

/** What dns.test.ts plays in a network namespace of its own: our resolver and dig ask one server, Debian's dnsmasq. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openTun } from '../../src/link/tun.ts';
import type { DNSError } from '../../src/net/errors.ts';
import { createHost } from '../../src/node/host.ts';
import { type Ground, onGround } from './ground.ts';

export const moduleUrl = import.meta.url;

const SERVER = '10.9.0.1';
/** So many addresses take more than a datagram may have. */
const MANY = 150;

const RECORDS = [
  '--host-record=dead6.lab.example,10.9.0.1,2001:db8::77',
  '--host-record=web.lab.example,10.9.0.1,2001:db8::1',
  '--host-record=v6.lab.example,2001:db8::6',
  '--cname=www.lab.example,web.lab.example',
  '--cname=alias.lab.example,www.lab.example',
  '--mx-host=lab.example,mail.lab.example,10',
  '--mx-host=lab.example,spare.lab.example,20',
  '--srv-host=_http._tcp.lab.example,web.lab.example,80,1,5',
  '--srv-host=_http._tcp.lab.example,www.lab.example,81,2,5',
  '--txt-record=lab.example,one,two',
  '--ptr-record=77.0.9.10.in-addr.arpa,printer.lab.example',
];

class Dnsmasq {
  readonly #child: ChildProcess;
  readonly #directory = mkdtempSync(join(tmpdir(), 'tunstack-dns-'));
  #said = '';

  constructor(addresses: readonly string[]) {
    const hosts = join(this.#directory, 'hosts');
    const lines = Array.from({ length: MANY }, (_, i) => `10.8.${i >>> 8}.${i & 0xff} many.lab.example\n`);
    writeFileSync(hosts, lines.join(''));
    const options = [
      '--keep-in-foreground',
      '--conf-file=/dev/null',
      '--no-resolv',
      '--no-hosts',
      '--pid-file',
      '--user=root',
      '--log-facility=-',
    ];
    const where = [
      `--listen-address=${addresses.join(',')}`,
      '--bind-interfaces',
      '--edns-packet-max=1232',
      '--local=/lab.example/',
    ];
    this.#child = spawn('dnsmasq', [...options, ...where, `--addn-hosts=${hosts}`, ...RECORDS]);
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (data: Buffer) => (this.#said += data));
  }

  /** Whether it has its socket. @throws Error with what it said, when it ended */
  get isUp(): boolean {
    if (this.#child.exitCode !== null) throw new Error(`dnsmasq ended: ${this.#said}`);
    return ['/proc/net/udp', '/proc/net/udp6'].some((path) => readFileSync(path, 'utf8').includes(':0035 '));
  }

  async end(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill();
    await closed;
    rmSync(this.#directory, { recursive: true });
  }
}

/** What dig prints of a question, in lines, sorted. */
async function dig(ground: Ground, type: string, name: string): Promise<string[]> {
  const child = spawn('dig', ['+short', '+tries=2', '+time=3', `@${SERVER}`, type, name]);
  let said = '';
  child.stdout.on('data', (data: Buffer) => (said += data));
  await ground.within(8000, 'dig', once(child, 'close'));
  return said.trim().split('\n').filter(Boolean).sort();
}

async function withServer<T extends object>(play: (ground: Ground) => Promise<T>) {
  const dns = { servers: [SERVER], search: ['lab.example'] };
  return onGround({ dns }, async (ground) => {
    const server = new Dnsmasq([SERVER]);
    try {
      await ground.until(5000, 'dnsmasq', () => server.isUp);
      return await play(ground);
    } finally {
      await server.end();
    }
  });
}

/** Each name's addresses, of ours and of dig's, without the aliases that dig tells too. */
export function addresses(names: readonly string[]) {
  return withServer(async (ground) => {
    const found: Record<string, { ours: string[]; digs: string[] }> = {};
    for (const name of names) {
      const ours = await ground.host.lookupHost(name).catch((error: DNSError) => [error.message]);
      const digs = [...(await dig(ground, 'A', name)), ...(await dig(ground, 'AAAA', name))];
      found[name] = { ours: ours.sort(), digs: digs.filter((line) => !line.endsWith('.')).sort() };
    }
    return { found };
  });
}

/** Records of other kinds, in dig's words. */
export function records() {
  return withServer(async (ground) => {
    const { dns } = ground.host;
    const { addrs } = await dns.lookupSRV('http', 'tcp', 'lab.example');
    const ours = {
      MX: (await dns.lookupMX('lab.example')).map(({ pref, host }) => `${pref} ${host}`),
      SRV: addrs.map(({ priority, weight, port, target }) => `${priority} ${weight} ${port} ${target}`),
      PTR: await dns.lookupAddr('10.9.0.77'),
    };
    const digs = {
      MX: await dig(ground, 'MX', 'lab.example'),
      SRV: await dig(ground, 'SRV', '_http._tcp.lab.example'),
      PTR: await dig(ground, 'PTR', '77.0.9.10.in-addr.arpa'),
    };
    const texts = await dns.lookupTXT('lab.example');
    const canonical = await dns.lookupCNAME('alias.lab.example');
    const nobody = await dns.lookupMX('nobody.lab.example').catch((error: DNSError) => error.message);
    return { ours, digs, texts, canonical, nobody };
  });
}

/** A server over IPv6, and names of both families, one of which has nobody behind its IPv6 address; `port` is the kernel's. */
export async function bothFamilies() {
  const tun = openTun({ address: '10.9.0.1/24' });
  tun.setAddress('2001:db8::1/64');
  const dns = { servers: ['2001:db8::1'], search: ['lab.example'] };
  await using host = createHost({ link: tun, address: ['10.9.0.2/24', '2001:db8::2/64'], dns });
  const server = new Dnsmasq(['2001:db8::1']);
  const listener = createServer((socket) => socket.on('error', () => {})).listen(80, '::');
  try {
    await once(listener, 'listening');
    while (!server.isUp) await new Promise((resolve) => setTimeout(resolve, 5));
    const found = await host.lookupHost('web');
    const remotes: string[] = [];
    for (const name of ['web', 'dead6']) {
      const conn = await host.dial('tcp', `${name}:80`);
      remotes.push(`${conn.remoteAddr()}`);
      conn.setLinger(0);
      conn.close();
    }
    const refused = await host.dial('tcp', 'web:81').catch((error: Error) => error.message);
    const missing = await host.dial('tcp', 'nohost:80').catch((error: Error) => error.message);
    return { found, remotes, refused, missing, left: host.sockets().length };
  } finally {
    listener.close();
    await server.end();
  }
}
